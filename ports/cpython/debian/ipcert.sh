#!/bin/sh
# What root starts runs as the service's user, with its one capability: the files in its folders must stay its own.
# (But /etc/ipcert.toml, which "ipcert init" writes, is root's.)
owner=$(stat -c %U /var/lib/ipcert 2>/dev/null) || owner=ipcert
if [ "$(id -u)" = 0 ] && [ "$owner" != root ] && [ "$1" != init ]; then
    only=-all,+net_bind_service
    exec setpriv --reuid="$owner" --regid="$owner" --init-groups --no-new-privs \
        --inh-caps="$only" --ambient-caps="$only" --bounding-set="$only" /usr/bin/python3 -I -m ipcert_port "$@"
fi
exec /usr/bin/python3 -I -m ipcert_port "$@"
