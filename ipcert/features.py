"""The parts that a firmware's maker may leave out, and the one place from which they are loaded.

What holds. A part is a module that no other file of the core imports: whoever needs it asks `part` for it, at the moment when it
is needed. So a device has only those parts in memory that it uses, and a firmware only those in flash that its maker took
(`features` in `manifest.py`, whose table of files stands in `tools/lib/build/files.py`). A part that is not there is one clear
error, before anything was sent or changed, and never an ImportError from deep down.

What must never happen: that a device does less than its configuration says and keeps silent about it.
"""

from .errors import LocalError

# The part, the feature that it belongs to, its module.
_PARTS = (
    ("records", "dns", "ipcert.acme.records"),
    ("alpn", "tls-alpn", "ipcert.acme.alpn"),
    ("alternates", "alternate-chains", "ipcert.acme.alternates"),
    ("external_account", "external-account", "ipcert.acme.external_account"),
    ("operations", "account-operations", "ipcert.order.operations"),
    ("pending_key", "account-operations", "ipcert.pending_key"),
    ("operation_commands", "account-operations", "ipcert.operation_commands"),
    ("adoption", "adopt", "ipcert.adoption"),
    ("consent", "combined", "ipcert.consent"),
    ("seal", "sealing", "ipcert.encoding.seal"),
    ("texts", "texts", "ipcert.texts"),
)


def missing(feature):
    """The LocalError("missing") of a feature that a firmware's maker left out (`manifest.py`)."""
    return LocalError(
        "missing",
        "This firmware was built without %s; build it with that feature, or do without it." % feature,
    )


def load(feature, module):
    """The module, by its full name. Raises LocalError("missing") where the firmware was built without the feature."""
    try:
        return __import__(module, None, None, ("*",))
    except ImportError:
        raise missing(feature)


def part(name):
    """The module of a part. Raises LocalError("missing") where the firmware was built without its feature."""
    for known, feature, module in _PARTS:
        if known == name:
            return load(feature, module)
    raise LocalError("missing", "ipcert has no part '%s'." % name)


def has(name):
    """True where the firmware was built with the part. Loads it."""
    try:
        part(name)
    except LocalError:
        return False
    return True
