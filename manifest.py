# ruff: noqa: F821
# Freezes ipcert into a MicroPython firmware: include() this from a board's manifest.
# include("manifest.py", features="dns adopt") takes the core and these features, features="" the core alone.
# Made by `tools/build manifest`; do not edit. `_ipcert` comes with USER_C_MODULES (ports/native).
metadata(version="0.1.0")
options.defaults(features="tls-alpn dns account-operations adopt")
_FEATURES = {
    "tls-alpn": (
        "ipcert/acme/alpn.py",
        "ipcert/encoding/alpn_certificate.py",
        "ipcert_port/solvers/tlsalpn.py",
    ),
    "dns": (
        "ipcert/acme/records.py",
        "ipcert/encoding/base32.py",
        "ipcert_port/solvers/dns.py",
    ),
    "account-operations": ("ipcert/order/operations.py",),
    "adopt": ("ipcert/adoption.py",),
}
_CHOSEN = options.features.split()
for _feature in _CHOSEN:
    if _feature not in _FEATURES:
        raise ValueError("ipcert has no feature '%s': choose from %s" % (_feature, ", ".join(_FEATURES)))
_WITHOUT = [path for feature in _FEATURES if feature not in _CHOSEN for path in _FEATURES[feature]]


def _chosen(name, paths):
    return tuple([path for path in paths if name + "/" + path not in _WITHOUT])


package(
    "ipcert",
    _chosen(
        "ipcert",
        (
            "__init__.py",
            "account.py",
            "acme/__init__.py",
            "acme/account.py",
            "acme/alpn.py",
            "acme/authorization.py",
            "acme/certificate.py",
            "acme/challenge.py",
            "acme/dates.py",
            "acme/directory.py",
            "acme/exchange.py",
            "acme/http01.py",
            "acme/message.py",
            "acme/order.py",
            "acme/problem.py",
            "acme/records.py",
            "acme/renewal_information.py",
            "action.py",
            "adoption.py",
            "commands.py",
            "configuration.py",
            "deployment.py",
            "device.py",
            "encoding/__init__.py",
            "encoding/alpn_certificate.py",
            "encoding/base32.py",
            "encoding/base64url.py",
            "encoding/buffer.py",
            "encoding/calendar.py",
            "encoding/csr.py",
            "encoding/der.py",
            "encoding/jws.py",
            "encoding/p256.py",
            "encoding/seal.py",
            "encoding/x509.py",
            "errors.py",
            "identifiers.py",
            "journal.py",
            "keys.py",
            "limits.py",
            "lineage.py",
            "notices.py",
            "order/__init__.py",
            "order/issuance.py",
            "order/machine.py",
            "order/operations.py",
            "order/renewal_information.py",
            "order/request.py",
            "order/states.py",
            "plan.py",
            "planner.py",
            "policy.py",
            "presence.py",
            "scheduler.py",
            "split.py",
            "storage.py",
        ),
    ),
    base_path=".",
    opt=3,
)
package(
    "ipcert_port",
    _chosen(
        "ipcert_port",
        (
            "__init__.py",
            "port/__init__.py",
            "port/clock.py",
            "port/drive.py",
            "port/entropy.py",
            "port/net.py",
            "port/port.py",
            "port/sign.py",
            "port/store.py",
            "solvers/__init__.py",
            "solvers/dns.py",
            "solvers/responder.py",
            "solvers/tlsalpn.py",
        ),
    ),
    base_path="ports/micropython",
    opt=3,
)
package(
    "urequests_compat",
    _chosen(
        "urequests_compat",
        (
            "__init__.py",
            "_http1.py",
            "_tls.py",
            "errors.py",
            "fields.py",
            "response.py",
            "url.py",
        ),
    ),
    base_path="ports/urequests_compat",
    opt=3,
)
