"""ucryptolib_shim against NIST SP 800-38A, and against a real MicroPython's cryptolib."""

import os
import subprocess
import sys

import micropython_binary

from ucryptolib_shim import MODE_CBC, MODE_CTR, MODE_ECB, aes

SCRIPT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers", "cryptolib_script.py"
)

# NIST SP 800-38A, appendix F: the plaintext of all vectors, and per key the ciphertexts of F.1, F.2 and F.5.
PLAIN = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
IV = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
COUNTER = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
VECTORS = (
    (
        "2b7e151628aed2a6abf7158809cf4f3c",
        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf"
        "43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
        "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
        "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
    ),
    (
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870"
        "b6ed21b99ca6f4f9f153e7b1beafed1d23304b7a39f9f3ff067d8d8f9e24ecc7",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
        "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6",
    ),
)


def test_nist_vectors_both_ways_and_in_pieces():
    for key, *texts in VECTORS:
        key = bytes.fromhex(key)
        for i, (mode, iv) in enumerate(((MODE_ECB, None), (MODE_CBC, IV), (MODE_CTR, COUNTER))):
            text = bytes.fromhex(texts[i])
            assert aes(key, mode, iv).encrypt(PLAIN) == text
            assert aes(key, mode, iv).decrypt(text) == PLAIN
            cipher = aes(key, mode, iv)
            out = bytearray(80)
            parts = [bytes(cipher.encrypt(PLAIN[at : at + 16], out)[:16]) for at in range(0, 64, 16)]
            assert b"".join(parts) == text and len(out) == 80


def test_ctr_goes_on_at_any_byte():
    key, _, _, text = VECTORS[1]
    cipher = aes(bytes.fromhex(key), MODE_CTR, COUNTER)
    assert b"".join([cipher.encrypt(PLAIN[i : i + 7]) for i in range(0, 64, 7)]).hex() == text


def test_the_script_covers_all_modes():
    lines = run([sys.executable, SCRIPT])
    assert "no CTR" not in lines and len(lines) > 250
    assert sum([" ValueError " in line for line in lines]) > 100


def test_micropython_prints_the_same():
    ours = run([sys.executable, SCRIPT])
    theirs = run([micropython_binary.path(), SCRIPT])
    if theirs[0] == "no CTR":  # stock firmware
        del theirs[0]
        ours = [line for line in ours if line[0] != "6"]
    assert ours == theirs


def run(command):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    return (
        subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        .stdout.decode()
        .splitlines()
    )
