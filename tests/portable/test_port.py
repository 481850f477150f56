"""Whichever port is there keeps what every port promises. For another port: the same five classes, which make its parts."""

import binascii
import os
import sys
import unittest

import conformance

from ipcert_port.port.clock import Clock
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer
from ipcert_port.port.store import Store


def folder(test):
    """A new folder that nobody else may enter; it goes with the test."""
    path = "/tmp/ipcert-test-" + binascii.hexlify(os.urandom(8)).decode()
    test.assertEqual(os.system("mkdir -m 700 " + path), 0)
    test.addCleanup(os.system, "rm -r " + path)
    return path


class TheSigner(conformance.Signer, unittest.TestCase):
    def make(self, entropy=None):
        return Signer(entropy or Entropy())

    def test_no_other_signer_takes_its_place(self):
        if sys.implementation.name == "micropython":
            import _ipcert

            self.assertEqual(self.make().name, _ipcert.NAME)
        else:
            self.assertTrue(self.make().name.startswith("cryptography") and "OpenSSL" in self.make().name)


class TheStore(conformance.Store, unittest.TestCase):
    _folder = None

    def open(self):
        self._folder = self._folder or folder(self)
        return Store(self._folder)


class TheEntropy(conformance.Entropy, unittest.TestCase):
    def make(self):
        return Entropy()


class TheClock(conformance.Clock, unittest.TestCase):
    def make(self, floor):
        return Clock(floor)


class ThePort(conformance.Port, unittest.TestCase):
    def make(self):
        if sys.implementation.name == "micropython":
            return Port(Store(folder(self)), Signer(Entropy()), Entropy())
        return Port(folder(self), Signer(Entropy()), Entropy())
