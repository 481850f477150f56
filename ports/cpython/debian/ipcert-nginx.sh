#!/bin/sh
exec /usr/bin/python3 -I -m ipcert_port.deploy.nginx "$@"
