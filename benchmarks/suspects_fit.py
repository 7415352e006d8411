"""Learn the weights of the suspects on training seeds, and print them as Python.

    python -m benchmarks.suspects_fit

A conditional logit by stochastic gradient ascent: of all changes of a trouble, and "none of these",
the cause has the greatest share. What it prints is put into incidents/rules/weights.py by hand, and
stays as it is; the test seed of benchmarks/suspects.py is drawn after that.
"""

from __future__ import annotations

import argparse
import math
import random
from typing import TYPE_CHECKING

from benchmarks import estates

from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.rules.signs import Scene, signs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

TRAINING = (11, 12, 13)
REFERENCE = {  # levels that weigh nothing, so that the others say more or less than they
    "nearness.3h", "graph.below3", "kind.other", "size.medium", "shared.few",
}  # fmt: skip
# What a sign says in words it must not weigh the other way: those that come out so weigh LEAST.
FOR = {
    "graph.self", "shared.all", "shared.most", "cascade.first", "same.sick", "undone.helped",
    "regions.match", "history.cause", "size.large", "kind.deployment", "kind.flag", "kind.config",
    "kind.vendor",
}  # fmt: skip
AGAINST = {
    "nearness.after", "nearness.later", "nearness.older", "graph.above", "graph.beside",
    "graph.apart", "standing.healthy", "cascade.late", "cascade.passed", "same.fine", "undone.vain",
    "undone.later", "undoing.yes", "regions.apart", "regions.more", "failed.yes", "kind.catalog",
    "kind.schedule", "kind.data", "often.some", "often.many", "history.cleared", "size.small",
}  # fmt: skip
SHRINK = 2e-5  # a step: weights that nothing speaks for go to nothing
LEAST = 0.1
Case = tuple[list[list[str]], frozenset[int]]


def cases(seeds: Sequence[int], companies: int, each: int) -> list[Case]:
    """Of each incident the keys of its changes' signs, and which of them were causes."""
    found: list[Case] = []
    for seed in seeds:
        for one in estates.incidents(seed, companies, each):
            where = reaches(one.trouble.failing, one.edges)
            scene = Scene.of(one.trouble, one.changes, where, one.known)
            rows = [[s.key for s in signs_of(change, scene)] for change in one.changes]
            good = frozenset(n for n, c in enumerate(one.changes) if c.id in one.causes)
            found.append((rows, good))
    return found


def fit(training: list[Case], rounds: int) -> dict[str, float]:
    """The weights by which the causes are most probable."""
    weights: dict[str, float] = {"nobody": 0.0}
    dice = random.Random(1)
    for number in range(rounds):
        dice.shuffle(training)
        rate = 0.15 / (1 + number)
        for rows, good in training:
            _step(weights, rows, good, rate)
    return weights


def _step(
    weights: dict[str, float], rows: list[list[str]], good: frozenset[int], rate: float
) -> None:
    scores = [sum(weights.get(key, 0.0) for key in row) for row in rows] + [weights["nobody"]]
    most = max(scores)
    shares = [math.exp(score - most) for score in scores]
    whole = sum(shares)
    right = [shares[n] for n in good] or [shares[-1]]
    total = sum(right)
    for n, row in enumerate(rows):
        wanted = shares[n] / total if n in good else 0.0
        push = rate * (wanted - shares[n] / whole)
        if abs(push) < 1e-6:
            continue
        for key in row:
            if key not in REFERENCE:
                value = weights.get(key, 0.0)
                weights[key] = _bounded(key, value + push - SHRINK * value)
    weights["nobody"] += rate * ((0.0 if good else 1.0) - shares[-1] / whole)


def _bounded(key: str, value: float) -> float:
    if key in FOR:
        return max(value, LEAST)
    return min(value, -LEAST) if key in AGAINST else value


def main() -> None:
    """Fit and print."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--companies", type=int, default=400, help="of each training seed")
    reader.add_argument("--each", type=int, default=6, help="incidents of each company")
    reader.add_argument("--rounds", type=int, default=12)
    asked = reader.parse_args()
    training = cases(TRAINING, asked.companies, asked.each)
    print(f"# {len(training):,} incidents, seeds {TRAINING}")
    for key, weight in sorted(fit(training, asked.rounds).items()):
        print(f'    "{key}": {weight:.2f},')


if __name__ == "__main__":
    main()
