"""What it costs to know who asks: the lookup of a session and of an API token, by percentile.

    python benchmarks/sessions.py [--url postgresql://…] [--people 2000] [--json FILE]

Budget: at most one query a request, under 0.3 ms in the middle; nothing on loopback without
sign-in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth.model import LOCAL
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.auth.service import people, staying, tokens
from pilothouse.kernel.db import sqlite_url
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.arriving import Recognition

ROUNDS = 2000


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table, in milliseconds."""

    what: str
    median: float
    p95: float


def fill(program: Program, number: int) -> tuple[list[str], list[str]]:
    """People who are signed in, with a token each."""
    sessions, secrets = [], []
    for start in range(0, number, 200):
        with program.db.begin() as tx:
            for n in range(start, min(start + 200, number)):
                identity = Identity(LOCAL, f"user{n}", f"user{n}")
                person = people.add_local(tx, identity, Role.VIEWER, "no hash")
                lifetime = timedelta(days=7)
                sessions.append(staying.begin(tx, person, staying.Browser(), lifetime, "benchmark"))
                secret, _ = tokens.create(tx, person, "benchmark", ["read"], 9)
                secrets.append(secret)
    return sessions, secrets


def measure(what: str, ask, arguments) -> Line:
    took = []
    for number in range(ROUNDS):
        argument = arguments[number * 7919 % len(arguments)]
        began = time.perf_counter()
        ask(argument)
        took.append((time.perf_counter() - began) * 1000)
    took = sorted(took[ROUNDS // 10 :])
    return Line(what, took[len(took) // 2], took[int(len(took) * 0.95)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.url or sqlite_url(Path(folder))
        settings = Settings(database_url=url, data=folder, local_users=True)
        program = open_program(settings, (auth,))
        sessions, secrets = fill(program, chosen.people)
        recognize = Recognition(settings, program.db)
        for one in secrets:  # "last used" is written once a minute, not here
            recognize.by_token(one)
        nothing = Recognition(Settings(data=folder), program.db)
        loop = asyncio.new_event_loop()
        lines = [
            measure("session", recognize.by_session, sessions),
            measure("API token", recognize.by_token, secrets),
            measure("unknown session", recognize.by_session, [f"{n}" for n in range(100)]),
            measure(
                "loopback without sign-in",
                lambda headers: loop.run_until_complete(nothing("GET", headers)),
                [{b"cookie": b"session=x"}],
            ),
        ]
        loop.close()
        program.db.engine.dispose()
    print(f"{chosen.people:,} people, {program.db.engine.dialect.name}; milliseconds")
    for line in lines:
        print(f"{line.what:28} median {line.median:.3f}   p95 {line.p95:.3f}")
    if chosen.json:
        found = [{"what": one.what, "median_ms": one.median, "p95_ms": one.p95} for one in lines]
        chosen.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
