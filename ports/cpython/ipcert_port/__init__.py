"""The port to CPython on Linux: what touches the network, the disk, the clock and the keys."""
