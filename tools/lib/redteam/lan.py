"""Somebody in the home's own network: routers that lie, are slow, are huge, and change their minds."""

import os
import random
import resource
import signal
import time

from tools.lib import netns
from tools.lib.redteam import router as hostile

MOST_SECONDS = 30  # that one question to the router may take, on a busy machine
MOST_MEMORY = 64 << 20  # bytes more than before, in whoever asks


def _blanks(path, connection):
    connection.sendall(hostile.page(hostile.DESCRIPTION % ("", "<controlURL>" + " " * 60000)))


def _unclosed(path, connection):
    text = (
        "<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>"
        + " " * 16000
    )
    connection.sendall(hostile.page(text + "</service>"))


def _deep(path, connection):
    connection.sendall(hostile.page("<a>" * 20000))


def _bomb(path, connection):
    entities = "".join(f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' for k in range(1, 20))
    text = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "x">{entities}]><root>&a19;</root>'
    connection.sendall(hostile.page(text))


def _attributes(path, connection):
    connection.sendall(hostile.page("<root " + "a='b' " * 10000 + "<" * 5000 + ">" * 5000))


def _endless(path, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"<service>" * 1000)


def _endless_headers(path, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 1000)


def _huge(path, connection):
    connection.sendall(hostile.page(b"x" * 100000, 1 << 40))


def _negative(path, connection):
    connection.sendall(hostile.page(b"x" * 1000, -1))


def _chunks(path, connection):
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + b"x" * 100000
    )


def _control(url):
    def serve(path, connection):
        text = hostile.DESCRIPTION % ("", url) if path == "/rootDesc.xml" else hostile.SOAP % "9.9.9.7"
        connection.sendall(hostile.page(text))

    return serve


def _says(text):
    def serve(path, connection):
        body = hostile.DESCRIPTION % ("", "/control") if path == "/rootDesc.xml" else hostile.SOAP % text
        connection.sendall(hostile.page(body))

    return serve


def _random(seed):
    def serve(path, connection):
        draw = random.Random(seed)
        data = bytearray(hostile.page(hostile.DESCRIPTION % ("", "/control")))
        for _ in range(200):
            data[draw.randrange(90, len(data))] = draw.randrange(256)
        connection.sendall(bytes(data))

    return serve


def documents():
    """{what it is: function that serves HTTP}: descriptions and answers of a hostile UPnP device."""
    found = {
        "blanks in an URL": _blanks,
        "an URL that is never closed": _unclosed,
        "elements in each other": _deep,
        "entities in each other": _bomb,
        "attributes without end": _attributes,
        "a document without end": _endless,
        "headers without end": _endless_headers,
        "a length of a terabyte": _huge,
        "a negative length": _negative,
        "a chunk of 2**64 bytes": _chunks,
        "a control URL of 60,000 letters": _control("/" + "x" * 60000),
        "a control URL elsewhere": _control("http://127.0.0.1:1/"),
        "a control URL with a line in it": _control("/x\r\nX: y"),
        "an address of 60,000 digits": _says("9" * 60000),
        "an address that is none": _says("9.9.9.999"),
        "an IPv6 address": _says("2620:fe::1"),
        "a name": _says("nas.example.net"),
        "a format": _says("%s%n%s%n"),
    }
    found.update({f"random bytes {k}": _random(k) for k in range(6)})
    return found


def datagrams():
    """{what it is: `Behaviour`}: hostile NAT-PMP and PCP. Nobody answers UPnP."""
    nothing = {"offers": lambda: []}
    good = hostile.natpmp_answer("9.9.9.7")
    found = {
        "a short NAT-PMP answer": {"natpmp": lambda data: [good[:11]]},
        "a long NAT-PMP answer": {"natpmp": lambda data: [good + b"x" * 1000]},
        "another opcode": {"natpmp": lambda data: [b"\0\x81" + good[2:]]},
        "nothing at all in it": {"natpmp": lambda data: [b""]},
        "a PCP error": {"pcp": lambda data: [hostile.pcp_answer(data, "9.9.9.7", 3)]},
        "another one's nonce": {"pcp": lambda data: [hostile.pcp_answer(data, "9.9.9.7", 0, b"x" * 12)]},
        "a short PCP answer": {"pcp": lambda data: [hostile.pcp_answer(data, "9.9.9.7")[:59]]},
        "an IPv6 address over PCP": {
            "pcp": lambda data: [hostile.pcp_answer(data, "9.9.9.7")[:-16] + b"x" * 16]
        },
    }
    return {what: hostile.Behaviour(**{**nothing, **ways}) for what, ways in found.items()}


def offers():
    """{what it is: `Behaviour`}: SSDP answers that must not lead anywhere, since they do not come from, or to, the router."""
    found = {
        "an offer of another device": {"offers": lambda: [hostile.offer("http://192.168.50.9:80/x")]},
        "an offer that begins like the router": {
            "offers": lambda: [hostile.offer("http://192.168.50.1.evil:80/x")]
        },
        "an offer with a user": {
            "offers": lambda: [hostile.offer("http://192.168.50.1:80@192.168.50.3:5000/x")]
        },
        "an offer of the camera's": {"offers": lambda: [b"\0" + hostile.offer()]},
        "an offer of blanks": {"offers": lambda: [b"LOCATION:" + b" " * 2000]},
        "a thousand offers": {"offers": lambda: [b"LOCATION: x\r\n"] * 1000},
    }
    return {what: hostile.Behaviour(**ways) for what, ways in found.items()}


def ask(how=None, seconds=MOST_SECONDS):
    """Ask the router of this thread's namespace, in a process of its own: (answer, seconds, bytes of memory more).

    `how`: the function that asks, `router.address` where it is None. The answer is what it returned, "late" after `seconds`, or
    "died".
    """
    from ipcert_port.address import router

    read, write = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            said = router.address() if how is None else how(hostile.ROUTER)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
            os.write(write, repr((said, grown)).encode())
        finally:
            os._exit(0)
    os.close(write)
    import ast
    import select

    with open(read, "rb") as pipe:
        late = not select.select([pipe], [], [], seconds)[0]
        if late:
            os.kill(pid, signal.SIGKILL)
        said = b"" if late else pipe.read()
    os.waitpid(pid, 0)
    took = time.monotonic() - began
    if late:
        return "late", took, 0
    if not said:
        return "died", took, 0
    answer, grown = ast.literal_eval(said.decode())
    return answer, took, grown


def routers(outcome, hurry=False):
    """Let every hostile router answer. `hurry`: the waits are shorter, and one document in three is tried, for the everyday run."""
    from ipcert_port.address import router

    if not netns.possible():
        outcome.skip("hostile routers", "no network namespaces here: that takes root and ip(8)")
        return
    before = router._UPNP_SECONDS, router._FIRST_WAIT
    if hurry:
        router._UPNP_SECONDS, router._FIRST_WAIT = 3, 0.05
    try:
        with hostile.Lan() as lan:
            _routers(outcome, lan, hurry)
    finally:
        router._UPNP_SECONDS, router._FIRST_WAIT = before


def _routers(outcome, lan, hurry):
    from ipcert_port.address import router

    def hear(what, behaviour, wanted, how=None):
        lan.behave(behaviour)
        answer, took, grown = ask(how)
        good = answer in wanted and took < MOST_SECONDS and grown < MOST_MEMORY
        outcome.held(f"router: {what}", good, (answer, round(took, 1), grown))

    address = b"\x09\x09\x09\x07"
    hear(
        "honest, over NAT-PMP",
        hostile.Behaviour(natpmp=lambda data: [hostile.natpmp_answer("9.9.9.7")]),
        [address],
    )
    hear(
        "honest, over PCP",
        hostile.Behaviour(pcp=lambda data: [hostile.pcp_answer(data, "9.9.9.7")]),
        [address],
    )
    hear("honest, over UPnP", hostile.Behaviour(), [address])
    for what, behaviour in datagrams().items():
        hear(what, behaviour, [None], lambda at: router.nat_pmp(at) or router.pcp(at))
    for what, behaviour in list(offers().items())[:: 3 if hurry else 1]:
        hear(what, behaviour, [None], router.upnp)
    for number, (what, serve) in enumerate(documents().items()):
        if not hurry or number % 3 == 0:
            # Some of them are no more than odd, and then the honest answer behind them may be read.
            hear(what, hostile.Behaviour(serve=serve), [None, address], router.upnp)
    page = hostile.page("x" * 1000)
    hear("a byte a second", hostile.Behaviour(serve=lambda path, c: lan.slowly(c, page, 1)), [None])
    hear("silence", hostile.Behaviour(serve=lambda path, c: lan.slowly(c, b"x", 60)), [None])
