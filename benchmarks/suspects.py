"""How often the right change stands first, or among the first three, beside two baselines.

    python -m benchmarks.suspects [--seed 0] [--companies 1000] [--json FILE]

Companies and incidents are those of benchmarks/estates.py, which knows nothing of the ranking; the
weights were learned on other seeds by benchmarks/suspects_fit.py and are frozen since. Where
several changes did it together, the best placed of them counts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from benchmarks import estates
from benchmarks.lines import Line, keep, row

from pilothouse.incidents.rules.reaching import reaches
from pilothouse.incidents.rules.suspects import rank
from pilothouse.incidents.rules.weights import WEIGHTS
from pilothouse.kernel.changes import Change

SEED = 97789  # drawn after the weights were frozen
TOP = 3
SOON = timedelta(minutes=2)
Order = Sequence[str]  # ids, the most suspected first
Ranking = Callable[[estates.Incident], Order]


def ours(weights: Mapping[str, float] = WEIGHTS) -> Ranking:
    """The ranking with these weights."""

    def ranked(one: estates.Incident) -> Order:
        where = reaches(one.trouble.failing, one.edges)
        found = rank(one.trouble, one.changes, where, one.known, (), weights)
        return [suspect.change.id for suspect in found]

    return ranked


def _before(one: estates.Incident) -> list[Change]:
    found = [change for change in one.changes if change.at <= one.trouble.onset + SOON]
    return sorted(found, key=lambda change: change.at, reverse=True)


def latest_there(one: estates.Incident) -> Order:
    """Changes of the service that paged, the latest first."""
    return [change.id for change in _before(one) if one.alerting in change.entities]


def latest_anywhere(one: estates.Incident) -> Order:
    """All changes, the latest first."""
    return [change.id for change in _before(one)]


def places(found: Sequence[estates.Incident], ranking: Ranking) -> list[int]:
    """Of each incident the place of its cause, from 1; 0 where it is not among them."""
    result: list[int] = []
    for one in found:
        order = ranking(one)
        result.append(next((n for n, name in enumerate(order, 1) if name in one.causes), 0))
    return result


def figures(found: Sequence[int]) -> tuple[float, float, float]:
    """hit@1, hit@3, mean reciprocal rank."""
    number = len(found) or 1
    first = sum(place == 1 for place in found) / number
    three = sum(0 < place <= TOP for place in found) / number
    return first, three, sum(1 / place for place in found if place) / number


def _lines(name: str, found: Sequence[int], at_least: float | None = None) -> list[Line]:
    first, three, mean = figures(found)
    note = f"{len(found):,} incidents" + (f", aim {at_least:g}" if at_least else "")
    return [
        Line(f"{name}: hit@1", round(first, 4), ""),
        Line(f"{name}: hit@3", round(three, 4), "", note=note),
        Line(f"{name}: MRR", round(mean, 4), ""),
    ]


def without(feature: str) -> dict[str, float]:
    """The weights, none of them this feature's."""
    return {key: weight for key, weight in WEIGHTS.items() if key.partition(".")[0] != feature}


def words(found: Sequence[estates.Incident]) -> list[Line]:
    """How often each word was right."""
    right, said = defaultdict(int), defaultdict(int)
    for one in found:
        where = reaches(one.trouble.failing, one.edges)
        for suspect in rank(one.trouble, one.changes, where, one.known):
            said[suspect.word] += 1
            right[suspect.word] += suspect.change.id in one.causes
    return [
        Line(f'said "{word}": it was', round(right[word] / max(said[word], 1), 4), "",
             note=f"{said[word]:,} times")
        for word in ("Likely", "Possible", "Unlikely")
    ]  # fmt: skip


def measure(found: Sequence[estates.Incident]) -> list[Line]:
    """The whole table."""
    caused = [one for one in found if one.causes]
    within = [one for one in caused if one.reachable]
    lines = _lines("in the catalog's reach", places(within, ours()), 0.9)
    lines += _lines("latest change on the alerting service", places(within, latest_there))
    lines += _lines("latest change anywhere", places(within, latest_anywhere))
    lines += _lines("any change did it, in reach or not", places(caused, ours()))
    for story in estates.STORIES:
        some = [one for one in within if one.story == story]
        if some:
            lines += _lines(f"story {story}", places(some, ours()))
    for feature in sorted({key.partition(".")[0] for key in WEIGHTS} - {"nobody"}):
        lines += _lines(f"without {feature}", places(within, ours(without(feature))))
    lines += words(found)
    began = time.perf_counter()
    places(within[:500], ours())
    took = (time.perf_counter() - began) / max(len(within[:500]), 1) * 1000
    many = statistics.median(len(one.changes) for one in found)
    lines.append(Line("one ranking", round(took, 2), "ms", note=f"median of {many:g} changes"))
    return lines


def main() -> None:
    """Print the table."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--seed", type=int, default=SEED)
    reader.add_argument("--companies", type=int, default=1000)
    reader.add_argument("--each", type=int, default=6, help="incidents of each company, at most")
    reader.add_argument("--json", type=Path)
    asked = reader.parse_args()
    found = list(estates.incidents(asked.seed, asked.companies, asked.each))
    lines = measure(found)
    print(f"{len(found):,} incidents of {asked.companies:,} companies, seed {asked.seed}")
    for line in lines:
        print(row(line))
    command = f"python -m benchmarks.suspects --seed {asked.seed} --companies {asked.companies}"
    keep(asked.json, "Suspects", command, lines)


if __name__ == "__main__":
    main()
