"""What the core is handed of this machine: clock, keys, files, network, and the loop that drives it."""
