"""One start of the demo: the company, its portal, the agents of its twelve places."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec

from pilothouse.demo import panel, running
from pilothouse.demo.model import FAULTS, LOOPBACK, PLACES, Company
from pilothouse.kernel import clock
from pilothouse.kernel.auth.service import tokens
from pilothouse.kernel.errors import Conflict
from pilothouse.kernel.program import Program

PORTAL = 8400
LEVEL = "warning"  # of the log: what the terminal says is for whoever tries it
PORTAL_DATA = "portal"  # folder of what the portal knows
DAYS = 2  # that the demo's tokens are good for


def start(
    folder: Path,
    port: int | None,
    ahead: timedelta | None,
    open_program: Callable[..., Program],
    run: Callable[..., int],
) -> int:
    """Run until told to end; with `ahead`, what the last one left, that much later.

    Raises Conflict when a demo runs in this folder already.
    """
    for name in [name for name in os.environ if name.startswith("PILOTHOUSE_")]:
        del os.environ[name]  # the demo's portal is its own, whatever is set for others
    port = port or _free_port()
    clock.set_ahead(ahead or timedelta(0))
    with (
        running.folder_of_our_own(folder, kept=() if ahead is None else (PORTAL_DATA,)),
        running.doors() as doors,
    ):
        company = running.found(folder, f"http://{LOOPBACK}:{port}", doors, ahead or timedelta(0))
        data = folder / PORTAL_DATA
        sources = (str(folder / "company"),)
        program = open_program(
            data=str(data),
            host=LOOPBACK,
            port=port,
            sources=sources,
            inbox=True,
            log_level=LEVEL,
        )
        company = _introduced(company, program)
        running.keep(company)
        with running.running(company, doors):
            _say(company)
            return run(program.settings, (panel.module(company),), local=False)


def _free_port() -> int:
    for port in (PORTAL, *range(PORTAL + 1, running.FIRST_PORT)):
        if running.is_free(port):
            return port
    raise Conflict("ports 8400 to 8410 are all taken: name another with --port")


def _introduced(company: Company, program: Program) -> Company:
    """The same company with tokens of its portal."""
    with program.db.begin() as tx:
        events, _ = tokens.create(tx, None, "CI of the chandlery", ["events"], DAYS)
        agent, _ = tokens.create(tx, None, "Agents of the chandlery", ["agent"], DAYS)
    program.db.engine.dispose()
    return msgspec.structs.replace(company, events_token=events, agent_token=agent)


def _say(company: Company) -> None:
    """What runs, and what to try next."""
    later = [f"  its clock     {clock.now():%A %d %B %Y, %H:%M} UTC"] if company.ahead else []
    lines = [
        "The chandlery, a small company, opens on this machine:",
        f"  its shop      {company.public('shop')}/",
        f"  its portal    {company.portal}/    watched from {len(PLACES)} places",
        *later,
        "Break something, in another terminal, and look at Now:",
        *(f"  pilothouse demo break {fault.name:14} {fault.does}" for fault in FAULTS),
        "  pilothouse demo repair",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201
