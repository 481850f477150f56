#!/bin/sh
# addresses INTERFACE: the addresses of a netifd interface, or of a device where there is no netifd, as `ip -o` writes
# them. Replace this where your firmware keeps them elsewhere: one plain address a line will do.
interface="$1"
device="$interface"
if [ -r /lib/functions/network.sh ]; then
	# shellcheck source=/dev/null
	. /lib/functions/network.sh
	network_flush_cache
	# shellcheck disable=SC2154 # the function sets it
	network_get_device found "$interface" && device="$found"
fi
# A device that is gone has no address; that is not a failure.
ip -o addr show dev "$device" 2>/dev/null || true
