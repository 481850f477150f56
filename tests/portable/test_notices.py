"""The notices: their codes, their severities, and whole sentences."""

import unittest

from ipcert import notices, texts


class Notices(unittest.TestCase):
    def numbers(self):
        return [k for k in dir(notices) if k.isupper() and isinstance(getattr(notices, k), int)]

    def test_codes(self):
        codes = notices.CODES
        self.assertEqual(len(set(codes)), len(codes))
        self.assertLessEqual(len(codes), 30)  # a mask of them is a small int on 32 bits
        for k, code in enumerate(codes):
            self.assertEqual(notices.code(k), code)
            for c in code:
                self.assertTrue("a" <= c <= "z" or c == "-" or c.isdigit())
            if code != "eui64":
                self.assertEqual(getattr(notices, code.upper().replace("-", "_")), k)
        self.assertEqual(notices.EUI64, codes.index("eui64"))

    def test_every_constant_has_a_text(self):
        names = self.numbers()
        values = [getattr(notices, n) for n in names if n not in ("INFO", "WARNING", "ALERT")]
        self.assertEqual(sorted(values), list(range(len(notices.CODES))))

    def test_texts(self):
        for k in range(len(notices.CODES)):
            self.assertIn(notices.severity(k), (notices.INFO, notices.WARNING, notices.ALERT))
            blanks = texts.NOTICES[k].count("%s")
            self.assertIn(blanks, (1, 2))
            text = notices.text(k, "SUBJECT", "DETAIL.")
            self.assertIn("SUBJECT", text)
            self.assertEqual("DETAIL." in text, blanks == 2)
            self.assertTrue(text.endswith(".") or text.endswith("DETAIL.") or text.endswith("SUBJECT"))
            self.assertEqual(text.find("%s"), -1)
        self.assertEqual((len(notices.SEVERITY), len(texts.NOTICES)), (3, len(notices.CODES)))

    def test_a_detail_with_a_percent_sign(self):
        self.assertIn("100 %s", notices.text(notices.FAILED, "x", "100 %s"))

    def test_what_the_seed_asks_to_be_told(self):
        self.assertEqual(notices.severity(notices.COMBINED), notices.ALERT)
        self.assertEqual(notices.severity(notices.FAMILIES_IN_ONE), notices.ALERT)
        self.assertGreaterEqual(notices.severity(notices.IPV6_PUBLISHED), notices.WARNING)


if __name__ == "__main__":
    unittest.main()
