"""A child of `flood`: the CPython port's responder until standard input ends. Argument: a port."""

import sys

from ipcert_port.solvers.responder import Responder

token = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
responder = Responder("127.0.0.1", int(sys.argv[1]))
responder.publish(token, token + ".x")
responder.start()
print("ready", flush=True)
sys.stdin.read()
responder.close()
print(0)
