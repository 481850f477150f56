"""Faults on purpose: power cuts, full and read-only disks, a hostile network. `tools/test faults` runs them."""
