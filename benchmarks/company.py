"""Makes a company's catalog of any size, the same for the same size: real-looking, valid files."""

from __future__ import annotations

import random
from pathlib import Path

TYPES = ("service", "website", "library", "job")
LIFECYCLES = ("production", "experimental", "deprecated")
WORDS = (
    "payment", "checkout", "ledger", "invoice", "basket", "price", "stock", "parcel", "route",
    "search", "index", "profile", "login", "session", "token", "media", "image", "video", "mail",
    "message", "event", "queue", "report", "audit", "fraud", "limit", "quote",
)  # fmt: skip


def write_company(folder: Path, components: int = 10_000) -> int:
    """Write `components` Components, one Group to 50 and one System to 20 of them, ten a file.

    Returns how many entities were written.
    """
    dice = random.Random(components)
    groups, systems = max(1, components // 50), max(1, components // 20)
    documents = [_group(n) for n in range(groups)]
    documents += [_system(n, groups) for n in range(systems)]
    documents += [_component(n, components, groups, systems, dice) for n in range(components)]
    files = max(1, components // 10)
    share = -(-len(documents) // files)
    for number in range(files):
        part = documents[number * share : (number + 1) * share]
        if part:
            path = folder / f"area-{number % 37:02}" / f"repo-{number:05}" / "catalog-info.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("---\n".join(part))
    return len(documents)


def _group(n: int) -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: team-{n}
  title: Team {WORDS[n % len(WORDS)].title()} {n}
spec:
  type: team
  children: []
"""


def _system(n: int, groups: int) -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: System
metadata:
  name: system-{n}
  description: All that has to do with {WORDS[n % len(WORDS)]}.
spec:
  owner: team-{n % groups}
"""


def _component(n: int, components: int, groups: int, systems: int, dice: random.Random) -> str:
    word, other = WORDS[n % len(WORDS)], WORDS[n // len(WORDS) % len(WORDS)]
    uses = dice.sample(range(components), min(components, 2))
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {word}-{other}-{n}
  title: {word.title()} {other} {n}
  description: Takes every {word} and turns it into a {other}, number {n} of its kind.
  annotations:
    github.com/project-slug: company/{word}-{other}-{n}
    backstage.io/techdocs-ref: dir:.
  tags: [{word}, tier-{n % 3 + 1}]
  links:
    - url: https://runbooks.example/{word}/{n}
      title: Runbook
      type: runbook
spec:
  type: {TYPES[n % len(TYPES)]}
  lifecycle: {LIFECYCLES[n % 7 % len(LIFECYCLES)]}
  owner: team-{n % groups}
  system: system-{n % systems}
  dependsOn:
    - component:{_name(uses[0])}
    - component:{_name(uses[-1])}
"""


def _name(n: int) -> str:
    return f"{WORDS[n % len(WORDS)]}-{WORDS[n // len(WORDS) % len(WORDS)]}-{n}"
