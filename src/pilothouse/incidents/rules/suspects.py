"""Which change is suspected how much, and why: a sum of weighed signs, each told in words.

A conditional logit: the scores of one trouble's changes are compared with each other, and with
that of "none of these". Weights are in weights.py, signs in signs.py, the choice in ADR 0017.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import msgspec

from pilothouse.incidents.model.changes import Reason, Suspect
from pilothouse.incidents.rules.signs import Scene, signs_of
from pilothouse.incidents.rules.weights import WEIGHTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.incidents.model.changes import Known, Mark, Reach, Trouble
    from pilothouse.kernel.changes import Change

Word = Literal["Likely", "Possible", "Unlikely"]
LIKELY, POSSIBLE = 0.4, 0.08  # shares of all that could have been, never shown as numbers
NOBODY = "nobody"  # the score of "none of these"
SHOWN = frozenset({"nearness", "graph"})  # told even at a level that weighs nothing
MARKED = {"confirmed": 0, "": 1, "cleared": 2}  # the order of those that people judged


def rank(
    trouble: Trouble,
    changes: Sequence[Change],
    reaches: Sequence[Reach],
    known: Sequence[Known] = (),
    marks: Sequence[Mark] = (),
    weights: Mapping[str, float] = WEIGHTS,
) -> list[Suspect]:
    """The changes, the most suspected first: confirmed ones before all, cleared ones last."""
    scene = Scene.of(trouble, changes, reaches, known)
    said = {mark.change: mark for mark in sorted(marks, key=lambda mark: mark.at)}
    weighed: list[tuple[Change, tuple[Reason, ...]]] = []
    for change in changes:
        reasons = [
            Reason(sign.feature, weights.get(sign.key, 0.0), sign.words)
            for sign in signs_of(change, scene)
        ]
        weighed.append((change, _told(reasons, change, scene)))
    scores = [sum(reason.weight for reason in reasons) for _, reasons in weighed]
    words = _words(scores, weights.get(NOBODY, 0.0))
    found = [
        _judged(
            Suspect(change=change, score=score, word=word, reasons=reasons),
            said.get(change.id),
        )
        for (change, reasons), score, word in zip(weighed, scores, words, strict=True)
    ]
    return sorted(found, key=_place)


def _judged(suspect: Suspect, mark: Mark | None) -> Suspect:
    if mark is None:
        return suspect
    word: Word = "Likely" if mark.verdict == "confirmed" else "Unlikely"
    return msgspec.structs.replace(suspect, mark=mark, word=word)


def _place(one: Suspect) -> tuple[int, float, float, str]:
    verdict = one.mark.verdict if one.mark else ""
    return MARKED[verdict], -one.score, -one.change.at.timestamp(), one.change.id


def _words(scores: Sequence[float], nobody: float) -> list[Word]:
    """Each word by its share of all that could have been, one of them being none of these."""
    most = max([*scores, nobody])
    weights = [math.exp(score - most) for score in scores]
    whole = sum(weights) + math.exp(nobody - most)
    return [_word(weight / whole) for weight in weights]


def _word(share: float) -> Word:
    if share >= LIKELY:
        return "Likely"
    return "Possible" if share >= POSSIBLE else "Unlikely"


def _told(reasons: Sequence[Reason], change: Change, scene: Scene) -> tuple[Reason, ...]:
    """What speaks for it first, the heaviest first; never without something that speaks against."""
    shown = [reason for reason in reasons if reason.weight or reason.feature in SHOWN]
    if not any(reason.against for reason in shown):
        shown.append(Reason("doubt", 0.0, scene.doubt(change)))
    return tuple(sorted(shown, key=lambda reason: (reason.against, -abs(reason.weight))))
