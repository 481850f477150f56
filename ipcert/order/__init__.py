"""What a device has under way with its CA: one order, one question about a renewal window, or one account operation.

Each is a small machine. `acme/` knows how a resource looks on the wire; here stands what comes after what.
"""
