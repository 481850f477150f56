"""What would make an order fail, found before one is made."""
