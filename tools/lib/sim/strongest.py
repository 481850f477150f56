"""The attackers that the gate knows, behind one function: `strongest` tries all of them, and the strongest one's bound is the figure.

An attacker is made from a city to learn on, the homes of it that may be learned from, and random numbers, and has
    name         for people
    temperature  how far its scores may be read as log odds; 0 where they are none
    scores(city, rows, cols) -> float32[rows, cols], higher for a likelier pair; name rows[r] beside address cols[c]
    whole        True where it must see all names of a crowd together, because it matches them with one another: then
                 match(scores) gives the posterior, rows and columns of which add up to one
Adding one is adding a function to ATTACKERS. Where a policy can be read, the model is stronger than what learns from pairs
(`FEW`); the others are tried where it cannot, and beside it where the run has time.
"""

import copy
import functools

import numpy as np

from tools.lib.sim import attack, model, posterior, reference
from tools.lib.sim.world import Lifetimes


def _ratio(city, homes, rng, numbers):
    return attack.Ratio(city, homes, rng)


def _collisions(city, homes, rng, numbers):
    return attack.Collisions(city, homes, rng)


def _trees(city, homes, rng, numbers):
    if not numbers["trees_crowds"]:
        return None
    return attack.Trees(city, homes[:12000], rng, numbers["stages"])


def _model(city, homes, rng, numbers):
    if city.policy not in reference.PLANS:
        return None
    life = city.life
    one = copy.copy(
        _tables(city.policy, city.kind, city.recovery, life.name, life.address, life.later, life.change)
    )
    return one.train(city, homes, int(rng.integers(1 << 30)))


@functools.lru_cache(maxsize=2)
def _tables(policy, kind, recovery, *life):
    recovery = None if policy == "earlier" else recovery  # it has its own
    return model.Attacker(Lifetimes(*life), reference.PLANS[policy], posterior.Rates(kind), recovery)


ATTACKERS = (_ratio, _collisions, _trees, _model)
FEW = (_collisions, _model)
PAIRS = (_ratio, _collisions, _model)
LEARNED = (_ratio, _collisions)


class Both:
    """An attacker who is told which two addresses of two families are one home's: it adds up what it reads from both."""

    def __init__(self, one):
        self.one = one
        self.name, self.temperature = one.name, one.temperature
        self.whole = one.whole
        self.match = getattr(one, "match", None)

    def scores(self, city, rows, cols):
        """The matrix of scores, names by addresses of both families."""
        s = self.one.scores(city, rows, cols)
        other = city.second()
        if other is None:
            return s
        has = np.flatnonzero(np.diff(other.ioff)[cols] > 0)
        if has.size:
            s = s.copy()
            # The second family says as much again, less what it says of an address without a history.
            s[:, has] += self.one.scores(other, rows, cols[has])
        return s


def learned(city, homes, rng, numbers, which=ATTACKERS):
    """Each attacker of `which`, after it has learned on these homes of `city`; all of them that learn from pairs where nobody can
    read the city's policy."""
    homes = rng.permutation(homes)
    if which is FEW and city.policy not in reference.PLANS:
        which = PAIRS
    made = [make(city, homes, rng, numbers) for make in which]
    return [Both(one) if city.six.size else one for one in made if one is not None]


def strongest(city, attackers, homes, size, numbers, show, match=0):
    """Yield (attacker, attack.Result) of each of `learned`'s, tried on crowds of `size` out of `homes` of `city`.

    numbers   of goals.SIZES: how many targets each is tried on; show: called as show(name), returns a function that takes
              the fraction done; match: crowds of which the likelihood ratios are matched one to one as well
    """
    for one in attackers:
        ratio = isinstance(getattr(one, "one", one), attack.Ratio)
        rows = numbers["tried"] if ratio else numbers["rows"]
        yield one, attack.attack(one, city, homes, size, match if ratio else 0, show(one.name), rows)
