"""The attacker of model.py alone, on homes that are simulated for it: prints its report as JSON, shares as parts of one.

python -m tools.lib.sim.attacked --life 45 --world kind --homes 10000 --size 2000 [--train 4000] [--seed N]
    in the environment of tools/simulate. --size: how many names are matched with as many addresses; --train: other
    homes to learn on, 0 for the model without what is counted
"""

import argparse
import json
import sys
import time

from tools.lib.sim import city, model, posterior, reference, world


def main(arguments):
    """Run the attack; return the exit status."""
    parser = argparse.ArgumentParser(prog="attacked")
    parser.add_argument("--life", default="45")
    parser.add_argument("--world", default="kind", choices=sorted(world.WORLDS))
    parser.add_argument("--policy", default="ipcert", choices=sorted(reference.PLANS))
    parser.add_argument("--homes", type=int, default=2000)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--train", type=int, default=0)
    parser.add_argument("--seed", type=int, default=20261124)
    options = parser.parse_args(arguments)
    life = world.lifetimes(options.life)
    begun = time.process_time()
    town = city.build(
        options.seed * 100 + 2, options.homes, policy=options.policy, kind=options.world, life=life
    )
    one = model.Attacker(life, reference.PLANS[options.policy], posterior.Rates(options.world, life=life))
    if options.train:
        one.train(
            city.build(
                options.seed * 100 + 1, options.train, policy=options.policy, kind=options.world, life=life
            )
        )
    report = one.report(town, town.visible(), options.size)
    report.update(
        life=options.life, world=options.world, policy=options.policy, size=options.size, seed=options.seed
    )
    report["command"] = " ".join(["python -m tools.lib.sim.attacked", *arguments])
    report["seconds"] = round(time.process_time() - begun, 1)
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
