"""A router that lies: what answers NAT-PMP, PCP and UPnP in a network namespace, with whatever an attack wants said.

It is also what a camera in the home can be that answers in the router's place, since none of the three is authenticated.
"""

import contextlib
import socket
import struct
import threading

from tools.lib import netns

ROUTER, HOME, CAMERA = "192.168.50.1", "192.168.50.2", "192.168.50.3"
HTTP = 5000  # the port of its description
_GROUP = "239.255.255.250"

DESCRIPTION = """<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor>
</specVersion><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANDevice:1</deviceType><deviceList><device>
<deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType><serviceList><service>
<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId>
%s<controlURL>%s</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL></service></serviceList></device></deviceList>
</device></deviceList></device></root>"""
SOAP = """<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">
<NewExternalIPAddress>%s</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>"""


def page(body, length=None):
    """An HTTP answer (bytes) with this body (text or bytes)."""
    data = body.encode() if isinstance(body, str) else body
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n"
    head += f"Content-Length: {len(data) if length is None else length}\r\n\r\n"
    return head.encode() + data


class Behaviour:
    """What the router does. Each is called in a thread of its own; the defaults are an honest router's.

    address     what it says is its external address
    natpmp, pcp    functions of a datagram (bytes): the datagrams to answer with, a list
    offers      function of nothing: SSDP answers, a list
    serve       function of (path, connection): answers one HTTP request
    """

    def __init__(self, address="9.9.9.7", **ways):
        self.address = address
        self.natpmp = ways.get("natpmp", lambda data: [])
        self.pcp = ways.get("pcp", lambda data: [])
        self.offers = ways.get("offers", lambda: [offer()])
        self.serve = ways.get("serve", self.honest)

    def honest(self, path, connection):
        """Its description, then its address."""
        body = DESCRIPTION % ("", "/control") if path == "/rootDesc.xml" else SOAP % self.address
        connection.sendall(page(body))


def offer(url=f"http://{ROUTER}:{HTTP}/rootDesc.xml", more=""):
    """An SSDP answer that says where the description is."""
    return (
        "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
        f"USN: uuid:x\r\nEXT:\r\nSERVER: x\r\n{more}LOCATION: {url}\r\n\r\n"
    ).encode("latin-1")


def natpmp_answer(address, result=0):
    """A NAT-PMP answer (RFC 6886 3.2)."""
    return struct.pack(">BBHI4s", 0, 128, result, 1, socket.inet_aton(address))


def pcp_answer(request, address, result=0, nonce=None):
    """A PCP answer to a request for a mapping (RFC 6887 11.1)."""
    head = struct.pack(">BBBBII12x", 2, 0x81, 0, result, 60, 1)
    body = request[24:40] if nonce is None else nonce + request[36:40]
    return head + body + request[40:42] + b"\x9c\x40" + bytes(10) + b"\xff\xff" + socket.inet_aton(address)


class Lan:
    """A home and its router, each in a namespace of its own, as a context manager. This thread is in the home's.

    behave(behaviour)    what the router does from now on
    """

    def __init__(self):
        self._stack = contextlib.ExitStack()
        self._behaviour = Behaviour()
        self._sockets = []
        self._over = threading.Event()

    def __enter__(self):
        home, self._outside = netns.Namespace(), netns.Namespace()
        self._stack.callback(home.close)
        self._stack.callback(self._outside.close)
        self._stack.enter_context(home.enter())
        netns.ip("link add lan0 type veth peer name lan1")
        netns.ip("link set lan0 up")
        self._outside.take("lan1")
        netns.ip(f"addr add {HOME}/24 dev lan0")
        with self._outside.enter():
            netns.ip(f"addr add {ROUTER}/24 dev lan1")
            netns.ip(f"addr add {CAMERA}/24 dev lan1")
            netns.ip("link set lan1 up")
            self._udp = self._open(socket.SOCK_DGRAM, ROUTER, 5351)
            self._ssdp = self._open(socket.SOCK_DGRAM, "", 1900)
            member = socket.inet_aton(_GROUP) + socket.inet_aton(ROUTER)
            self._ssdp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            self._answering = self._open(socket.SOCK_DGRAM, ROUTER, 0)
            self._camera = self._open(socket.SOCK_DGRAM, CAMERA, 0)
            self._http = self._open(socket.SOCK_STREAM, "", HTTP)
            self._http.listen(16)
        netns.ip(f"route add default via {ROUTER}")
        for work in (self._hear_udp, self._hear_ssdp, self._hear_http):
            threading.Thread(target=work, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for one in self._sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._stack.close()

    def _open(self, kind, host, port):
        one = socket.socket(socket.AF_INET, kind)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((host, port))
        one.settimeout(0.2)
        self._sockets.append(one)
        return one

    def behave(self, behaviour):
        """Do this from now on."""
        self._behaviour = behaviour

    def _hear_udp(self):
        self._hear(
            self._udp,
            lambda data: (self._behaviour.pcp if data[:1] == b"\2" else self._behaviour.natpmp)(data),
        )

    def _hear_ssdp(self):
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                _, sender = self._ssdp.recvfrom(2048)
                for data in self._behaviour.offers():
                    # What begins with a zero byte comes from the camera.
                    by = self._camera if data[:1] == b"\0" else self._answering
                    by.sendto(data.lstrip(b"\0"), sender)

    def _hear(self, sock, answers):
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                data, sender = sock.recvfrom(2048)
                for answer in answers(data):
                    sock.sendto(answer, sender)

    def _hear_http(self):
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._http.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError, IndexError), connection:
            connection.settimeout(30)
            data = b""
            while b"\r\n\r\n" not in data and len(data) < 65536:
                piece = connection.recv(4096)
                if not piece:
                    return
                data += piece
            self._behaviour.serve(data.split(b" ")[1].decode("latin-1"), connection)

    def slowly(self, connection, data, pause):
        """Send a byte now and then until the other end is gone."""
        for k in range(len(data)):
            if self._over.wait(pause):
                return
            connection.sendall(data[k : k + 1])
