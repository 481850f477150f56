"""ipcert: a name's certificate and an address's certificate that share nothing in the public record."""

__version__ = "0.1.0"


def Device(port, policy, certificates, directory_url):
    """A `device.Device`: `from ipcert import Device` loads the core only when one is made.

    Neither a module's `__getattr__`, which MicroPython asks for submodules too, nor an import up here, which would load
    everything for whoever needs one file.
    """
    from .device import Device as made

    return made(port, policy, certificates, directory_url)
