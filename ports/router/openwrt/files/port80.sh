#!/bin/sh
# port80 open|close PORT: lets the CA's validation through OpenWrt's firewall (fw4), for as long as one is under way.
command -v nft >/dev/null || exit 0
remove() {
	nft -a list chain inet fw4 input 2>/dev/null | sed -n 's/.*comment "ipcert".* handle \([0-9]*\)$/\1/p' |
		while read -r handle; do
			nft delete rule inet fw4 input handle "$handle"
		done
}
remove
if [ "$1" = open ] && nft list chain inet fw4 input >/dev/null 2>&1; then
	nft insert rule inet fw4 input tcp dport "$2" counter accept comment '"ipcert"'
fi
exit 0
