from .device import Device as Device

__version__: str
