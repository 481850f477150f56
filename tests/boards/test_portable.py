"""The native module, the JWS path and the writers on the boards' own processors: vectors, bad arguments, a locked heap."""

import pytest

from tools.lib.board import portable

FILES = ("test_native", "test_no_alloc", "test_jws", "test_csr", "test_der")


@pytest.mark.parametrize("name", portable.boards())
def test_on_the_board(name):
    out = portable.run_on(name, FILES)
    assert out["FAIL"] == 0, "\n".join(out["lines"])
    assert out["PASS"] > 40 and out["SKIP"] <= 1
