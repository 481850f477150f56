"""Run by MicroPython: ipcert_port.port.net. Arguments: roots, and URLs that are asked in turn, blocking and
not."""

import asyncio
import sys

from ipcert.errors import Error
from ipcert_port.port.net import Net

try:
    net = Net(sys.argv[1], "ipcert/test", 2)
except Error as e:
    print(e.code, e)
    sys.exit(0)
for url in sys.argv[2:]:
    for blocks in (True, False):
        try:
            if blocks:
                answer = net.request("POST", url, {"A": "b"}, memoryview(b"{}xx")[:2])
            else:
                answer = asyncio.run(net.arequest("POST", url, {"A": "b"}, memoryview(b"{}xx")[:2]))
            print(answer.status, bytes(answer.body), answer.headers["content-type"])
        except Error as e:
            print(type(e).__name__, e.code, e)
net.close()
