"""As much of CPython's `unittest` as the portable tests use, for MicroPython. The methods do what CPython's do."""


class SkipTest(Exception):
    """Raised to skip a test; its text is the reason."""


class _Raises:
    def __init__(self, expected):
        self.expected = expected
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            raise AssertionError("%s was not raised" % self.expected.__name__)
        self.exception = value
        return issubclass(kind, self.expected)


class _SubTest:
    def __init__(self, words):
        self.words = words

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and issubclass(kind, AssertionError):
            raise AssertionError("%s: %s" % (self.words, value))
        return False


class TestCase:
    def setUp(self):
        pass

    def tearDown(self):
        pass

    def addCleanup(self, function, *args):
        self._cleanups.append((function, args))

    def skipTest(self, reason):
        raise SkipTest(reason)

    def fail(self, msg=None):
        raise AssertionError(msg or "failed")

    def subTest(self, msg=None, **params):
        return _SubTest((msg, params))

    def assertEqual(self, first, second, msg=None):
        if not first == second:
            raise AssertionError(msg or "%r is not %r" % (first, second))

    def assertNotEqual(self, first, second, msg=None):
        if not first != second:
            raise AssertionError(msg or "both are %r" % (first,))

    def assertTrue(self, value, msg=None):
        if not value:
            raise AssertionError(msg or "%r is not true" % (value,))

    def assertFalse(self, value, msg=None):
        if value:
            raise AssertionError(msg or "%r is not false" % (value,))

    def assertIs(self, first, second, msg=None):
        if first is not second:
            raise AssertionError(msg or "%r is another than %r" % (first, second))

    def assertIsNot(self, first, second, msg=None):
        if first is second:
            raise AssertionError(msg or "both are %r" % (first,))

    def assertIsNone(self, value, msg=None):
        self.assertIs(value, None, msg)

    def assertIsNotNone(self, value, msg=None):
        self.assertIsNot(value, None, msg)

    def assertIsInstance(self, value, kind, msg=None):
        if not isinstance(value, kind):
            raise AssertionError(msg or "%r is a %s" % (value, type(value)))

    def assertIn(self, member, container, msg=None):
        if member not in container:
            raise AssertionError(msg or "%r is not in %r" % (member, container))

    def assertNotIn(self, member, container, msg=None):
        if member in container:
            raise AssertionError(msg or "%r is in %r" % (member, container))

    def assertLess(self, first, second, msg=None):
        if not first < second:
            raise AssertionError(msg or "%r is not below %r" % (first, second))

    def assertLessEqual(self, first, second, msg=None):
        if not first <= second:
            raise AssertionError(msg or "%r is above %r" % (first, second))

    def assertGreater(self, first, second, msg=None):
        if not first > second:
            raise AssertionError(msg or "%r is not above %r" % (first, second))

    def assertGreaterEqual(self, first, second, msg=None):
        if not first >= second:
            raise AssertionError(msg or "%r is below %r" % (first, second))

    def assertRaises(self, expected, function=None, *args, **kwargs):
        context = _Raises(expected)
        if function is None:
            return context
        with context:
            function(*args, **kwargs)
        return None


def run(case, name):
    """Run one method of a TestCase class. Whatever it raises comes out."""
    test = case()
    test._cleanups = []
    try:
        test.setUp()
        try:
            getattr(test, name)()
        finally:
            test.tearDown()
    finally:
        while test._cleanups:
            function, args = test._cleanups.pop()
            function(*args)


def skip(reason):
    """Decorator of a test method: it is not run, for this reason."""

    def wrap(function):
        def skipped(self):
            raise SkipTest(reason)

        return skipped

    return wrap


def skipIf(condition, reason):
    """Decorator of a test method: it is not run where the condition holds, for this reason."""
    return skip(reason) if condition else _same


def skipUnless(condition, reason):
    """Decorator of a test method: it is run only where the condition holds."""
    return _same if condition else skip(reason)


def _same(function):
    return function


def main():
    """Nothing: run_file.py finds the tests."""
