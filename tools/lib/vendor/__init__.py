"""The tree that firmware carries."""
