"""Fuzzing of everything that reads what comes from outside. `tools/fuzz` runs it."""
