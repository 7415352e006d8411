"""Makes a company's catalog of any size, the same for the same size: real-looking, valid files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
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


def component_names(components: int, many: int) -> list[str]:
    """Names of some of the Components, spread over all of them."""
    return [_name(n * components // many) for n in range(many)]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How heavy a heavy catalog is."""

    members: int = 6_000
    apis: int = 2_000
    definition: int = 500_000  # bytes of each


def write_heavy(folder: Path, sizes: Sizes) -> int:
    """Write one Group with all the Users in it, and APIs with long definitions.

    Every second definition stands in the document, the others in a file beside it. Returns how
    many entities were written.
    """
    people = [_group(0).replace("team-0", "everyone")]
    people += [_user(n) for n in range(sizes.members)]
    for start in range(0, len(people), 500):
        here = folder / f"people-{start:05}"
        here.mkdir(parents=True)
        (here / "catalog-info.yaml").write_text("---\n".join(people[start : start + 500]))
    for n in range(sizes.apis):
        here = folder / f"api-{n:04}"
        here.mkdir(parents=True)
        lines = list(_openapi(n, sizes.definition))
        if n % 2:
            (here / "openapi.yaml").write_text("".join(lines))
            definition = "\n    $text: ./openapi.yaml\n"
        else:
            definition = " |\n" + "".join(f"    {line}" for line in lines)
        (here / "catalog-info.yaml").write_text(_api(n) + definition)
    return 1 + sizes.members + sizes.apis


def _openapi(n: int, size: int) -> Iterator[str]:
    written = 0
    yield from ("openapi: 3.1.0\n", f"info: {{title: API {n}, version: 1.0.0}}\n", "paths:\n")
    number = 0
    while written < size:
        word = WORDS[(n + number) % len(WORDS)]
        for line in (
            f"  /{word}/{number}:\n",
            "    get:\n",
            f"      summary: The {word} with this number, of API {n}, as of now\n",
            "      responses: {'200': {description: Yes}, '404': {description: No}}\n",
        ):
            written += len(line)
            yield line
        number += 1


def _api(n: int) -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: API
metadata:
  name: api-{n}
spec:
  type: openapi
  lifecycle: production
  owner: everyone
  definition:"""


def _user(n: int) -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: User
metadata:
  name: person-{n}
spec:
  profile:
    displayName: Person {n}
  memberOf: [everyone]
"""


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
