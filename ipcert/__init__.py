"""ipcert: a name's certificate and an address's certificate that share nothing in the public record."""

__version__ = "0.1.0"
