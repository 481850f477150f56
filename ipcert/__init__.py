"""ipcert: a name's certificate and an address's certificate that share nothing in the public record."""

__version__ = "0.1.0"


def __getattr__(name):
    # `from ipcert import Device` loads the whole core; what only parses an identifier must not.
    if name == "Device":
        from .device import Device

        return Device
    raise AttributeError(name)
