#!/bin/sh
# ipcert: the command and the service. Keys are written by what runs here, so nobody else may read what it makes.
umask 077
# Else the first file that is opened would be stdout or stderr.
true 3>&2 || exec 2>/dev/null
{ true 3>&1; } 2>/dev/null || exec >/dev/null
export MICROPYPATH="${IPCERT_TREE:-/usr/lib/ipcert/python}:.frozen"
exec "${IPCERT_MICROPYTHON:-/usr/bin/micropython}" -X "heapsize=${IPCERT_HEAP:-640k}" -m ipcert_router "$@"
