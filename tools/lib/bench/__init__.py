"""What tools/bench measures, and with what it compares."""
