"""What the core asks of a port, in prose; `port.pyi` has the same as protocols for type checkers.

A port is one object with these attributes. Nothing in it is called back into the core, and nothing but `signer` and `entropy` may
take long.

signer      holds the keys, in `limits.SLOTS` slots, and signs with them; see below
entropy     fill(buf): fill a bytearray with cryptographically strong random bytes, or raise LocalError("entropy") where the
            machine has none. Nothing is ever made from weaker ones
sha256      sha256(buf, start, end, out, off): SHA-256 of `buf[start:end]` into `out[off:]`; returns off + 32
read        read(name): the bytes of a file that an action WRITE wrote, or None
names       names(): the names of all these files
device_id   device_id(): eight bytes that belong to this device and to no other one, or None where it has none
secret, aes None, or a secret of the device and cryptolib's `aes`: keys are sealed with it where they lie
counter     optional: a monotonic counter, read() -> int and raise_to(n), which never goes back

A signer has: generate(slot) makes a P-256 key; load(slot, d) takes a scalar of 32 bytes; export(slot, buf, off) writes it;
public(slot, buf, off) writes the point, 65 bytes; erase(slot); sign(slot, buf, start, end, out, off) writes r and s, 64 bytes, of
ECDSA over SHA-256; jws(slot, parts, payload, n, out, off) writes a whole JWS (RFC 7515 7.2.2) whose protected header is `parts` in
a row, and returns the new offset; sha256 as above; name says which signer it is.
"""
