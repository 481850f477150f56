"""What the tools share. Everything here but `pebble` runs on a bare Python >= 3.9."""
