"""Handing a new chain and key to what serves them, and a server of our own to try them."""
