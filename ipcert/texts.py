"""The owner's sentences: what each notice says, and why a device cannot have a certificate for an address of a kind.

A firmware whose maker shows sentences of its own leaves this file out (the feature `texts`): notices then have their code and what
they are about, and an address that cannot be certified has the name of its kind.
"""

# By the number of the notice (`notices`); %s takes its subject, and where there are two, the second its detail.
NOTICES = (
    (
        "One certificate for both a name and an address (%s) is published for ever in Certificate Transparency. "
        "Anyone, now or in ten years, can read in it that whoever owns this name used this address on this date, and "
        "can match that with every web site that logged the address. Two separate certificates do the same job without "
        "saying so."
    ),
    (
        "The certificate for %s makes this IPv6 address public. IPv6 addresses are too many to be found by scanning: "
        "after this, strangers know that something answers here and may try to connect."
    ),
    "One certificate for an IPv4 and an IPv6 address (%s) says for ever that both belong to one home.",
    (
        "You ask for certificates for IPv4 and IPv6 addresses (%s). They are kept apart, but both are renewed some "
        "135 times a year, and no timing hides for long that they belong to one home. One family is "
        "enough for most homes."
    ),
    (
        "The name %s resolves to this address, or must for http-01 to work. Anyone who looks it up today sees the "
        "link; separate certificates only keep it out of the permanent record. Prefer dns-01 or dns-persist-01 for the "
        "name where you can."
    ),
    (
        "The IPv6 address %s is made from the device's hardware address. Publishing it names the device's maker and "
        "follows the device to any network. Use a stable privacy address (RFC 7217) instead."
    ),
    (
        "Both certificates are wanted at once, so the second waits at most a day, not two weeks (%s). The homes that "
        "enrol on the same day are the whole crowd to hide in: for a small maker that may be a handful."
    ),
    (
        "Nothing was ordered for %s: a combined certificate needs your explicit consent. Read the warning with "
        "'ipcert consent', or set combined = false to get separate certificates."
    ),
    "You agreed to one combined certificate for %s.",
    "A new certificate for %s is in place.",
    "The order for %s did not succeed: %s",
    "The CA asks us to wait before it serves %s: %s",
    "The certificate for %s has expired. A new one is planned.",
    (
        "The CA wants the certificate for %s replaced early (it may be revoked), so it is renewed sooner than "
        "privacy would have it. %s"
    ),
    "The clock cannot be trusted (%s). Nothing is ordered until it can.",
    (
        "This state belongs to another device (%s) and was copied here. It is not used: two devices with one set of "
        "keys would give each other away. Run a factory reset to start afresh."
    ),
    "%s is no longer ours: its certificate is left to expire and its key is erased.",
    "The address %s is new. Its certificate waits until the address has lasted.",
    "The CA's terms of service changed: %s",
    "The CA no longer offers the profile used for %s; another one is asked for.",
    "The certificate for %s makes public that this address answers, and since when.",
    "The certificate for %s was revoked.",
    "The CA no longer knows our account; a new registration is made with the same key (%s).",
    (
        "Your configuration names another CA, %s. A new account is made there when the next certificate is due; "
        "what was issued stays in service until then."
    ),
    (
        "Another address than %s has been found here for hours. Its certificate stays in service and is renewed, until the CA "
        "or this machine's own interface says as well that the address is gone."
    ),
    (
        "The certificate for %s waits a random time of at most %s, and may expire meanwhile: we were away too long, and if it came "
        "back together with the other one, the public logs would show that they belong to one home. Ask for it by hand "
        "to have it now ('ipcert issue'); whoever reads the logs may then match the two."
    ),
    "The CA offers no chain for %s whose topmost issuer is '%s', as preferred_chain asks for; its own choice is used.",
)

# By the scope of an identifier (`identifiers.Identifier.scope`): what follows the identifier itself.
SCOPES = (
    ("private", "is private (RFC 1918): only your own network reaches it. Use your router's public address."),
    (
        "shared",
        (
            "is behind carrier-grade NAT (RFC 6598): it is shared, and no CA can reach this device. "
            "Ask the provider for a public IPv4 address, or use an IPv6 address or a name."
        ),
    ),
    ("ula", "is a unique local address (RFC 4193), not routed on the internet. Use a global IPv6 address."),
    ("link-local", "is link-local: it means another device on every network. Use a global address."),
    ("documentation", "is set aside for examples in documents. Use your real address."),
    ("nat64", "stands for an IPv4 address inside the provider's network. Use that IPv4 address."),
    ("single-label", "has no dot: only your own network knows it. Use a name in a domain you registered."),
    ("local", "is in a domain that exists only inside networks. Use a name in a domain you registered."),
)


def notice(number, subject, detail):
    """The sentence of a notice about `subject`; `detail` fills a second blank where there is one."""
    sentence = NOTICES[number]
    if sentence.count("%s") == 2:
        return sentence % (subject, detail)
    return sentence % subject


def scope(kind):
    """Why an identifier of that scope cannot be certified, and what to do; "" where nothing is said about it."""
    for name, sentence in SCOPES:
        if name == kind:
            return sentence
    return ""
