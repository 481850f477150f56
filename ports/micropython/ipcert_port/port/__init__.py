"""What the core is handed of this board: clock, keys, files, network, and the loop that drives it."""
