"""Fixtures for the tests that run under CPython. The portable tests use none, so that MicroPython can run them."""

import cryptography
import pytest
from cryptography import x509
from hypothesis import HealthCheck, settings

from tools.lib.pebble import Pebble

# The same examples in every run, and no verdict on how fast a busy machine draws them.
settings.register_profile(
    "ipcert", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ipcert")


# Simulated media, mutations and fuzzing do not depend on the libraries: once, with the newest, is enough.
if int(cryptography.__version__.split(".")[0]) < 40:
    collect_ignore_glob = [
        "cpython/core/test_fuzz.py",
        "cpython/core/test_mutations.py",
        "cpython/faults/test_faults_*.py",
    ]


def _read_chain(data):
    """What cryptography has had since 39, for the tests' own reading of chains on Debian 12's."""
    end = b"-----END CERTIFICATE-----"
    return [x509.load_pem_x509_certificate(part + end) for part in data.split(end)[:-1]]


if not hasattr(x509, "load_pem_x509_certificates"):
    x509.load_pem_x509_certificates = _read_chain


@pytest.fixture(scope="session")
def shared_pebble():
    """One Pebble for a whole run: validates at once, refuses no nonce, reuses no authorization. Use `pebble`."""
    with Pebble() as running:
        yield running


@pytest.fixture
def pebble(shared_pebble):
    """The shared Pebble with its counts at zero. Its ports stay the same; its DNS answers are the caller's to undo."""
    shared_pebble.reset()
    return shared_pebble


@pytest.fixture
def make_pebble():
    """A function that starts a Pebble of the test's own: make_pebble(nonce_reject=50). Stopped after the test."""
    running = []

    def make(**options):
        started = Pebble(**options)
        started.__enter__()
        running.append(started)
        return started

    yield make
    while running:
        running.pop().close()
