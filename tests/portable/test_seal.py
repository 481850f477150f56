"""Key files: PKCS#8, and sealed with the device's secret by cryptolib's AES or its shim's. HMAC against RFC 4231."""

import hashlib
import unittest

from portable_support import code_of, unhex
from virtual_home import Entropy, Port, Store, cryptolib_aes, sha256

from ipcert.encoding import buffer, hmac, key_file, p256
from ipcert.errors import LocalError
from ipcert_port.port.sign import Signer

RFC4231 = (
    ("0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (
        "4a656665",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
        b"hashed before being used by the HMAC algorithm.",
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
)


class Hmac(unittest.TestCase):
    def test_rfc_4231(self):
        for key, data, mac in RFC4231:
            out = bytearray(40)
            self.assertEqual(
                hmac.hmac(sha256, unhex(key), b"xx" + data + b"yy", 2, 2 + len(data), out, 5), 37
            )
            self.assertEqual(bytes(out[5:37]), unhex(mac))

    def test_a_key_of_one_block_and_no_data(self):
        key = bytes(range(64))
        out = bytearray(32)
        hmac.hmac(sha256, key, b"", 0, 0, out, 0)
        inner = hashlib.sha256(bytes(b ^ 0x36 for b in key)).digest()
        self.assertEqual(bytes(out), hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).digest())


class Files(unittest.TestCase):
    def port(self, secret=b"a device secret", seed=1):
        entropy = Entropy(seed)
        aes = cryptolib_aes() if secret is not None else None
        if secret is not None and aes is None:
            self.skipTest("this build's cryptolib has no CTR")
        return Port(Store(), entropy, Signer(entropy), secret=secret, aes=aes)

    def written(self, port, slot=1, **how):
        out = bytearray(key_file.SEALED + 8)
        port.signer.generate(slot)
        n = key_file.write(port, slot, out, **how)
        return bytes(out[:n])

    def same(self, port, data):
        """The file loads into another slot as the key that was written."""
        a, b = bytearray(97), bytearray(97)
        port.signer.export(1, a, 0)
        port.signer.public(1, a, 32)
        key_file.load(port, 2, data)
        port.signer.export(2, b, 0)
        port.signer.public(2, b, 32)
        return a == b and key_file.read(port, data) == a

    def test_plain(self):
        port = self.port(None)
        data = self.written(port)
        self.assertEqual(len(data), p256.PKCS8)
        self.assertTrue(self.same(port, data))
        self.assertEqual(key_file.pkcs8(port, data), data)

    def test_sealed(self):
        port = self.port()
        data = self.written(port)
        self.assertEqual((len(data), data[:4]), (key_file.SEALED, b"ipcS"))
        self.assertTrue(self.same(port, data))
        d = bytearray(32)
        port.signer.export(1, d, 0)
        self.assertEqual(data.find(bytes(d[:8])), -1)
        plain = key_file.pkcs8(port, data)
        self.assertEqual((len(plain), plain[36:68]), (p256.PKCS8, bytes(d)))

    def test_the_same_key_is_sealed_differently_each_time(self):
        port = self.port()
        a = self.written(port)
        out = bytearray(key_file.SEALED)
        key_file.write(port, 1, out)
        self.assertNotEqual(a, bytes(out))
        self.assertNotEqual(a[4:20], bytes(out[4:20]))

    def test_plain_on_request_and_plain_ones_of_before(self):
        port = self.port()
        data = self.written(port, sealed=False)
        self.assertEqual(len(data), p256.PKCS8)
        self.assertTrue(self.same(port, data))

    def test_another_secret(self):
        data = self.written(self.port())
        for other in (b"another secret", None):
            port = self.port(other)
            self.assertEqual(code_of(LocalError, lambda p=port: key_file.load(p, 1, data)), "key-file")
            self.assertEqual(code_of(LocalError, lambda p=port: key_file.pkcs8(p, data)), "key-file")

    def test_every_damage_is_noticed(self):
        for port in (self.port(None), self.port()):
            data = self.written(port)
            for n in (0, 1, 4, 20, len(data) - 1):
                self.assertEqual(
                    code_of(LocalError, lambda p=port, d=data[:n]: key_file.load(p, 2, d)), "key-file"
                )
            self.assertEqual(
                code_of(LocalError, lambda p=port, d=data + b"\0": key_file.load(p, 2, d)), "key-file"
            )
            for k in range(len(data)):
                bad = bytearray(data)
                bad[k] ^= 1 << k % 8
                code = code_of(LocalError, lambda p=port, d=bytes(bad): key_file.load(p, 2, d))
                self.assertIn(code, ("key-file", "key"))

    def test_halves_of_two_keys(self):
        port = self.port(None)
        a, b = self.written(port, 0), self.written(port, 1)
        mixed = a[:36] + b[36:68] + a[68:]
        self.assertEqual(code_of(LocalError, lambda: key_file.load(port, 2, mixed)), "key-file")
        self.assertEqual(code_of(LocalError, lambda: port.signer.export(2, bytearray(32), 0)), "key")

    def test_wipe(self):
        buf = bytearray(b"secret")
        buffer.wipe(buf)
        self.assertEqual(buf, bytearray(6))


if __name__ == "__main__":
    unittest.main()
