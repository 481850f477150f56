"""What answers a CA's challenges, by their type."""
