"""The settings that a router shares with other machines. `tools/docs` writes this file; do not edit it."""

# option -> (kind, default), as in `config.OPTIONS`
SHARED = {
    "names": ("texts", ()),
    "addresses": ("texts", ()),
    "directory": ("text", "letsencrypt"),
    "eab_kid": ("text", ""),
    "agree_terms": ("flag", False),
    "contacts": ("contacts", ()),
    "test": ("flag", False),
    "urgent": ("text", "ip"),
    "first_delay": ("duration", None),
    "recovery": ((("fast", 3600), ("balanced", 1209600), ("private", 2419200)), 1209600),
    "strict_ari": ("flag", False),
    "min_ip_age": ("duration", 86400),
    "profile_name": ("text", ""),
    "profile_ip": ("text", ""),
    "preferred_chain": ("text", ""),
    "compress": ("number", 1),
    "challenge_name": ("text", "http-01"),
    "spread": ("duration", 0),
}
# parameter of `ipcert.policy.Policy` -> option
POLICY = {
    "eab_kid": "eab_kid",
    "agree_terms": "agree_terms",
    "contacts": "contacts",
    "test_ca": "test",
    "urgent": "urgent",
    "first_delay": "first_delay",
    "recovery": "recovery",
    "strict_ari": "strict_ari",
    "min_ip_age": "min_ip_age",
    "profile_name": "profile_name",
    "profile_ip": "profile_ip",
    "preferred_chain": "preferred_chain",
    "compress": "compress",
    "challenge_name": "challenge_name",
    "spread": "spread",
}
