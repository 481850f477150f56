"""The bench of bent answers: what a CA's messages are read for, bent in every way, before core and ports."""
