# ruff: noqa: F821
# Freezes ipcert into a MicroPython firmware: include() this from a board's manifest.
# include("manifest.py", features="dns adopt") takes the core and these features, features="" the core alone.
# Made by `tools/build manifest`; do not edit. `_ipcert` comes with USER_C_MODULES (ports/native).
metadata(version="0.1.0")
options.defaults(
    features="tls-alpn dns account-operations adopt combined external-account alternate-chains sealing fat texts"
)
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
    "account-operations": (
        "ipcert/acme/key_change.py",
        "ipcert/order/operations.py",
        "ipcert/pending_key.py",
        "ipcert/operation_commands.py",
    ),
    "adopt": ("ipcert/adoption.py",),
    "combined": ("ipcert/consent.py",),
    "external-account": (
        "ipcert/acme/external_account.py",
        "ipcert/encoding/hmac.py",
    ),
    "alternate-chains": ("ipcert/acme/alternates.py",),
    "sealing": (
        "ipcert/encoding/hmac.py",
        "ipcert/encoding/seal.py",
    ),
    "fat": ("ipcert_port/port/slots.py",),
    "texts": ("ipcert/texts.py",),
}
_CHOSEN = options.features.split()
for _feature in _CHOSEN:
    if _feature not in _FEATURES:
        raise ValueError("ipcert has no feature '%s': choose from %s" % (_feature, ", ".join(_FEATURES)))
_TAKEN = [path for feature in _CHOSEN for path in _FEATURES[feature]]
_WITHOUT = [path for feature in _FEATURES for path in _FEATURES[feature] if path not in _TAKEN]


def _chosen(name, paths):
    return tuple([path for path in paths if name + "/" + path not in _WITHOUT])


package(
    "ipcert",
    _chosen(
        "ipcert",
        (
            "__init__.py",
            "account.py",
            "acme/account.py",
            "acme/alpn.py",
            "acme/alternates.py",
            "acme/authorization.py",
            "acme/certificate.py",
            "acme/challenge.py",
            "acme/dates.py",
            "acme/directory.py",
            "acme/exchange.py",
            "acme/external_account.py",
            "acme/http01.py",
            "acme/key_change.py",
            "acme/message.py",
            "acme/order.py",
            "acme/problem.py",
            "acme/records.py",
            "acme/renewal_information.py",
            "action.py",
            "adoption.py",
            "commands.py",
            "configuration.py",
            "consent.py",
            "deployment.py",
            "device.py",
            "encoding/alpn_certificate.py",
            "encoding/base32.py",
            "encoding/base64url.py",
            "encoding/buffer.py",
            "encoding/calendar.py",
            "encoding/csr.py",
            "encoding/der.py",
            "encoding/hmac.py",
            "encoding/jws.py",
            "encoding/key_file.py",
            "encoding/p256.py",
            "encoding/seal.py",
            "encoding/x509.py",
            "errors.py",
            "features.py",
            "identifiers.py",
            "journal.py",
            "keys.py",
            "limits.py",
            "lineage.py",
            "notices.py",
            "operation_commands.py",
            "order/issuance.py",
            "order/machine.py",
            "order/operations.py",
            "order/renewal_information.py",
            "order/request.py",
            "order/states.py",
            "pending_key.py",
            "plan.py",
            "planner.py",
            "policy.py",
            "presence.py",
            "scheduler.py",
            "split.py",
            "storage.py",
            "texts.py",
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
            "port/clock.py",
            "port/drive.py",
            "port/entropy.py",
            "port/net.py",
            "port/port.py",
            "port/sign.py",
            "port/slots.py",
            "port/store.py",
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
