#!/bin/sh
# notify EVENT NAME IDENTIFIERS: a certificate was "issued", "renewed" or "retired". Tells whoever waits for OpenWrt's
# ACME events: scripts in /etc/hotplug.d/acme, and the reload triggers of uhttpd and nginx.
export ACTION="$1" IPCERT_NAME="$2" IPCERT_IDENTIFIERS="$3"
if command -v hotplug-call >/dev/null; then
	hotplug-call acme
fi
case "$ACTION" in
issued) type=acme.issue ;;
*) type=acme.renew ;;
esac
if command -v ubus >/dev/null; then
	ubus call service event "{\"type\":\"$type\",\"data\":{}}"
fi
exit 0
