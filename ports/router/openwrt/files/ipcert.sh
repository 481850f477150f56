#!/bin/sh
# ipcert: the command and the service. Keys are written by what runs here, so nobody else may read what it makes.
umask 077
export MICROPYPATH="${IPCERT_TREE:-/usr/lib/ipcert/python}:.frozen"
exec "${IPCERT_MICROPYTHON:-/usr/bin/micropython}" -X "heapsize=${IPCERT_HEAP:-640k}" -m ipcert_router "$@"
