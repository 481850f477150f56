"""Runs in MicroPython: says for each line of stdin, a key and a chain in hex, whether Mbed TLS loads them."""

import binascii
import sys

import tls

while True:
    line = sys.stdin.readline()
    if not line:
        break
    key, chain = [binascii.unhexlify(word) for word in line.strip().split(" ")]
    try:
        tls.SSLContext(tls.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key)
        print("loaded")
    except (OSError, ValueError) as error:
        print(repr(error))
