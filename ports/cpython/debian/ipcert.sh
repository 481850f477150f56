#!/bin/sh
# What root starts runs as the service's user, apart from root's terminal (ipcert_port.cli.as_service says how).
# (But /etc/ipcert.toml, which "ipcert init" writes, is root's.)
if [ "$(id -u)" = 0 ] && [ "$1" != init ]; then
    exec /usr/bin/python3 -I -m ipcert_port.cli.as_service /var/lib/ipcert "$@"
fi
exec /usr/bin/python3 -I -m ipcert_port "$@"
