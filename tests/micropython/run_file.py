"""Runs one file of portable tests on MicroPython: `micropython run_file.py NAME`; one line for each test.

A test is a method of a `unittest.TestCase`, or a function without arguments, whose name begins with `test`.
"""

import sys
import unittest


def names(thing):
    return sorted(n for n in dir(thing) if n.startswith("test"))


def tests(module):
    """[(name as pytest says it, callable)]"""
    found = []
    for name in names(module):
        if callable(getattr(module, name)):
            found.append((name, getattr(module, name)))
    for name in sorted(dir(module)):
        case = getattr(module, name)
        if isinstance(case, type) and issubclass(case, unittest.TestCase) and case is not unittest.TestCase:
            for method in names(case):
                found.append((name + "::" + method, lambda c=case, m=method: unittest.run(c, m)))
    return found


def main(name):
    # The core's leaves first: a test imports it from deeper than a firmware's main file, and the 32-bit stack is small.
    __import__("ipcert.encoding.p256")
    module = __import__(name)
    for test, call in tests(module):
        full = name + ".py::" + test
        try:
            call()
        except unittest.SkipTest as e:
            print("SKIP", full + ":", e)
        except Exception as e:
            print("FAIL", full)
            sys.print_exception(e)
        else:
            print("PASS", full)


main(sys.argv[1])
