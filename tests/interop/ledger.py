"""Every key that a test's device was seen to use, so that none is ever used twice (G0)."""

from cryptography import x509

from ipcert_port import formatting

_accounts = {}
_subjects = {}


def note(device, port):
    """Note the device's live keys. A key in two lineages, or an account's key in a certificate, fails the test."""
    journal = device.journal
    for number, key, url in (
        (journal.account_file_id, journal.account_key_hash, journal.account_url),
        (journal.other_account_file_id, journal.other_account_key_hash, journal.other_account_url),
    ):
        if number:
            _accounts[bytes(key)] = url.text()
    for record in journal.records():
        chain = port.store.read("chain-%d" % record.file_id) if record.file_id else None
        if chain is None:
            continue
        leaf = x509.load_pem_x509_certificate(chain)
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names, addresses = san.get_values_for_type(x509.DNSName), san.get_values_for_type(x509.IPAddress)
        assert not (names and addresses) or record.consent_at or device.policy.setting == "public"
        key = bytes.fromhex(formatting.spki(chain))[:8]
        assert key == bytes(record.key_hash)
        assert key not in _accounts
        who = (tuple(sorted(names + [str(a) for a in addresses])), leaf.serial_number)
        assert _subjects.setdefault(key, who) == who
