"""The request that every contender of tools/bench jws signs: a newOrder, on either interpreter."""

KEY = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721"  # RFC 6979 A.2.5: known to everybody
KID = "https://acme-v02.api.letsencrypt.org/acme/acct/1234567890"
URL = "https://acme-v02.api.letsencrypt.org/acme/new-order"
NONCE = "oFvnlFP1wIhRlYS2jTaXbA6dSQ7yfSQ7yfSQ7yfSQ7y"
PAYLOAD = b'{"identifiers":[{"type":"dns","value":"nas.home.example.org"}],"profile":"shortlived"}'
ROUNDS = 200  # contenders take short turns; the best of each counts, which a busy machine disturbs least


def best(contenders, clock, batch, rounds=ROUNDS):
    """Run [(name, call)] in turns, `batch` calls at a time; {name: least time of one call, in clock's unit}."""
    least = {}
    for _ in range(rounds):
        for name, call in contenders:
            n = batch(name)
            start = clock()
            for _ in range(n):
                call()
            took = (clock() - start) / n
            if name not in least or took < least[name]:
                least[name] = took
    return least
