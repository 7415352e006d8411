"""Twelve agents in twelve network namespaces, and a site whose files come from two regions.

Break one region, a third party's script, the sign-in, the network of one agent: exactly the right
finding each time.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.servers import wait_until
from tests.system import world as worlds
from tests.system.world import GATES, PORTAL, SITE, World

from pilothouse.demo import faults, running
from pilothouse.demo.model import LISTENING, PLACES, Company

pytestmark = pytest.mark.skipif(not worlds.can_be_made(), reason=worlds.NEEDS_NAMESPACES)

EVERY = "10s"
CHECKS = 7  # that are visited from places
PORT = 22400  # of the portal, in a network of its own
SOON = 40.0  # seconds


@dataclass(slots=True)
class Watched:
    """The site, its portal, and twelve agents."""

    world: World
    company: Company
    database: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=10)) as db:
            return db.execute(query).fetchall()

    def findings(self, after: str) -> list[tuple[str, str, str]]:
        """What was found of checks since that event: type, check, words."""
        found = self.rows(
            "SELECT type, data FROM events WHERE type IN ('checks.degraded', 'checks.failed', "
            f"'checks.recovered') AND id > '{after}' ORDER BY id"
        )
        return [(kind, *said(data)) for kind, data in found]

    def trouble(self, after: str) -> list[tuple[str, str, str]]:
        """The same, without what was broken before and is well again."""
        return [one for one in self.findings(after) if one[0] != "checks.recovered"]

    def last(self) -> str:
        return self.rows("SELECT max(id) FROM events")[0][0]

    def broken(self, fault: str, kind: str, check: str, words: str) -> None:
        """Break it, see it found, and nothing else; repair it, and all locations see that."""
        after = self.last()
        (Path(self.company.folder) / "broken" / fault).touch()
        assert wait_until(lambda: self.found(after, kind, check, words), seconds=SOON), (
            fault, self.findings(after),
        )  # fmt: skip
        faults.repair(self.company, [fault])
        assert wait_until(lambda: self.works(check), seconds=SOON), check
        assert {found[:2] for found in self.trouble(after)} == {(kind, check)}

    def works(self, check: str) -> bool:
        """Whether it stands as healthy at every place."""
        found = self.rows(
            "SELECT count(*) FROM checks_series WHERE state = 'healthy' AND check_id IN "
            f"(SELECT id FROM checks_checks WHERE title = '{check}')"
        )
        return found[0] == (len(PLACES),)

    def found(self, after: str, kind: str, check: str, words: str) -> bool:
        return any(
            one[:2] == (kind, check) and re.search(words, one[2]) for one in self.findings(after)
        )


def said(data: str) -> tuple[str, str]:
    values = json.loads(data)
    return values["title"], values["verdict"]["words"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("places")
    with running.folder_of_our_own(folder / "demo") as ours, worlds.world(folder) as world:
        company = founded(ours)
        for program in LISTENING:
            world.start(
                world.core, "-m", "pilothouse.demo.company", program, company.folder,
                log=f"{program}.log",
            )  # fmt: skip
        portal(world, ours)
        token = token_of(world, ours)
        for place in PLACES:
            region = place.region if place.region in GATES else "us"
            names = {f"{program}.localhost": SITE for program in LISTENING}
            world.add(place.name, region, names | {"cdn.localhost": GATES[region]})
            (folder / place.name).mkdir()
            world.start(
                world.places[place.name], "-m", "pilothouse.cli", "agent",
                "--server", f"http://{PORTAL}:{PORT}", "--token", token, "--location", place.name,
                log=f"agent-{place.name}.log", cwd=folder / place.name,
            )  # fmt: skip
        one = Watched(world, company, ours / "portal" / "pilothouse.db")
        assert wait_until(lambda: everybody_looked(one), seconds=60), "not every place looked"
        yield one


def founded(folder: Path) -> Company:
    """The demo's company, which listens where the places reach it."""
    with running.doors() as doors:  # only for their numbers: the places have networks of their own
        company = running.found(folder, "http://127.0.0.1:9", doors)
    listens = dict.fromkeys(("shop", "stock", "sign-in", "reviews"), "0.0.0.0")
    ports = {**company.ports, "cdn-us": company.ports["cdn"]}
    edges = {"cdn": GATES["eu"], "cdn-us": GATES["us"]}
    company = msgspec.structs.replace(company, listens=listens | edges, ports=ports)
    running.keep(company)
    for other in ("journey.yaml", "gateway.yaml"):  # the latter wants the authority of the demo
        (folder / "company" / other).unlink(missing_ok=True)
    checks, places = (folder / "company" / name for name in ("checks.yaml", "places.yaml"))
    checks.write_text(checks.read_text().replace("every: 1m", f"every: {EVERY}"))
    places.write_text(places.read_text().replace("127.0.0.0/8", "10.231.0.0/16"))
    return company


def portal(world: World, folder: Path) -> None:
    settings = {
        "PILOTHOUSE_LOCAL_USERS": "true",
        "PILOTHOUSE_ANONYMOUS": "viewer",
        "PILOTHOUSE_PUBLIC_URL": f"http://{PORTAL}:{PORT}",
    }
    world.start(
        world.core, "-m", "pilothouse.cli", "up", str(folder / "company"),
        "--data", str(folder / "portal"), "--host", PORTAL, "--port", str(PORT),
        log="portal.log", env=settings,
    )  # fmt: skip
    log = world.folder / "portal.log"
    assert wait_until(lambda: "in the catalog" in log.read_text()), log.read_text()


def token_of(world: World, folder: Path) -> str:
    """A token for agents, as one makes it by hand."""
    import sys

    said = world.core.run(
        sys.executable, "-m", "pilothouse.cli", "token", "create", "places",
        "--scope", "agent", "--data", str(folder / "portal"),
    )  # fmt: skip
    found = re.search(r"ph_\S+", said)
    assert found, said
    return found[0]


def everybody_looked(one: Watched) -> bool:
    query = "SELECT count(*) FROM checks_series WHERE last_id > 0"
    return one.rows(query)[0][0] == len(PLACES) * CHECKS


def test_what_breaks_is_found_as_what_it_is_and_nothing_else(watched: Watched) -> None:
    one_region_of_the_content_delivery_network(watched)
    a_third_partys_script(watched)
    the_sign_in(watched)
    the_network_of_one_agent_is_no_finding_of_what_it_watches(watched)


def one_region_of_the_content_delivery_network(watched: Watched) -> None:
    words = r"failed from \d of 12 locations, all in eu-\*.*x-cache.*other regions unaffected"
    watched.broken("cdn-eu", "checks.failed", "Shop assets", words)


def a_third_partys_script(watched: Watched) -> None:
    words = r"degraded from .*12 locations"
    watched.broken("third-party", "checks.degraded", "Reviews of a third party", words)


def the_sign_in(watched: Watched) -> None:
    words = r"failed from .*12 locations"
    watched.broken("sign-in", "checks.failed", "Sign in as a customer", words)


def the_network_of_one_agent_is_no_finding_of_what_it_watches(watched: Watched) -> None:
    after = watched.last()
    watched.world.cut_off("eu-north")

    def sick() -> bool:
        query = "SELECT sick FROM checks_health WHERE location = 'eu-north'"
        return any(row[0] for row in watched.rows(query))

    assert wait_until(sick, seconds=SOON)
    watched.world.join_again("eu-north")
    assert wait_until(lambda: not sick(), seconds=SOON)
    assert watched.trouble(after) == []
