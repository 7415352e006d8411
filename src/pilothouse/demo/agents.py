"""`python -m pilothouse.demo.agents FOLDER`: one program that plays the agents of twelve places."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec

from pilothouse.agent import addresses, resolving
from pilothouse.agent.client import Away, Refused, Server
from pilothouse.agent.loop import Agent
from pilothouse.agent.secrets import Secrets
from pilothouse.agent.spool import Spool
from pilothouse.agent.visiting import Visitor
from pilothouse.checks.model.plans import Plan
from pilothouse.demo import child, history, model
from pilothouse.demo.company.serving import ask
from pilothouse.demo.model import PLACES, REACHED, Company, Place, address_of
from pilothouse.kernel import clock, logs

NAME = "chandlery"
SOON = 0.25  # seconds until a portal that is not up yet is asked again
OPENING = 20.0  # seconds that the shop may take to open
FINE = 200
POST, PAUSE = 200, 0.2  # results in one post of history, and seconds between two


def main() -> None:
    """Play them all, until the demo ends."""
    child.end_with_parent()
    logs.configure("text", "warning")
    folder = Path(sys.argv[1])
    os.environ["SSL_CERT_FILE"] = str(folder / model.AUTHORITIES)  # before anything reads it
    company = model.read(folder)
    clock.set_ahead(timedelta(seconds=company.ahead))
    asyncio.run(_play(company))


async def _play(company: Company) -> None:
    await _expected(_server(company, PLACES[0]))
    await asyncio.to_thread(_open, company)
    await asyncio.gather(_tell_history(company), *(_agent(company, place) for place in PLACES))


async def _agent(company: Company, place: Place) -> None:
    """The agent of one place: a task, so that what names mean is its own."""
    if company.places:
        here = (address_of(place),)
        resolving.HERE.set({f"{program}.localhost": here for program in REACHED})
    spool = Spool(Path(company.folder) / "places" / place.name)
    spool.open()
    visitor = Visitor(place.name, Secrets(environment={}), addresses.judge(()))
    # To one that has an empty plan all checks are new, and it visits new ones at once.
    nothing = Plan(location=place.name, region=place.region, checks=())
    await Agent(_server(company, place), spool, visitor, plan=nothing).run()


async def _tell_history(company: Company) -> None:
    """Hand over what was seen in the days before, slowly: what is seen now comes first."""
    now = clock.now()
    for place in PLACES:
        server = _server(company, place)
        for batch in history.batches(history.of(place, now), POST):
            await asyncio.sleep(PAUSE)
            with suppress(Away, Refused):
                await server.post([msgspec.json.encode(result) for result in batch], 0)
    # Objectives count what is known when they come, and then what comes.
    for file in (Path(company.folder) / "company").glob(f"*{model.LATER}"):
        file.rename(file.with_suffix(""))


def _open(company: Company) -> None:
    """Wait until the shop has opened: its programs start with us."""
    until = time.monotonic() + OPENING
    while time.monotonic() < until and ask(f"{company.address('shop')}/")[0] != FINE:
        time.sleep(SOON)


def _server(company: Company, place: Place) -> Server:
    return Server(company.portal, company.agent_token, place.name, NAME)


async def _expected(server: Server) -> None:
    """Wait until the portal has read of places, and of what is to be visited from them."""
    while True:
        try:
            plan, _, _ = await server.plan("")
            if plan and plan.checks:
                return
        except (Away, Refused):
            pass
        await asyncio.sleep(SOON)


if __name__ == "__main__":
    main()
