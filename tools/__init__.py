"""Commands of this repository, and what they share. Nothing outside tools/ and tests/ imports from here."""
