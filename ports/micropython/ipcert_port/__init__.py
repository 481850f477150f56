"""The port to MicroPython: what touches the network, the flash, the clock and the keys."""
