"""`pilothouse agent`, and `pilothouse check run`."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import structlog
from cyclopts import App, Parameter

from pilothouse.kernel.errors import Invalid

log = structlog.get_logger("pilothouse.agent")

PARENT = "PILOTHOUSE_AGENT_PARENT"  # process id of the `up` whose agent it is
NAME = re.compile(r"[^A-Za-z0-9_.@:-]+")
FINE, FINDINGS = 0, 1


def register(cli: App, open_program: Callable[..., Any] | None = None) -> None:
    """Give the program the commands; they need no database."""
    del open_program
    _agent(cli)
    _check(cli)


def _agent(cli: App) -> None:
    @cli.command
    def agent(  # noqa: PLR0913  one for each word of the command
        *,
        server: Annotated[str, Parameter(env_var="PILOTHOUSE_SERVER")],
        token: Annotated[str, Parameter(env_var="PILOTHOUSE_TOKEN")],
        location: Annotated[str, Parameter(env_var="PILOTHOUSE_LOCATION")],
        name: str = "",
        spool: Path | None = None,
        secrets: Path | None = None,
        allow_scripts: Annotated[bool, Parameter(negative=())] = False,
        log_format: str = "console",
    ) -> int:
        """Visit what the checks of a location are about, and report to the portal.

        It makes outgoing requests only, and keeps results on disk while the portal is away.

        Parameters
        ----------
        server
            Address of the portal: https://portal.example.
        token
            A token: pilothouse token create NAME --scope agent --location LOCATION. Better in the
            environment, where other users of the machine do not see it.
        location
            Name of a ProbeLocation: eu-west.
        name
            Name of this agent, unique at its location. Default: the machine's name.
        spool
            Folder for results that wait. Default: .pilothouse-agent/LOCATION-NAME.
        secrets
            File of lines NAME=value for ${secret:NAME}; PILOTHOUSE_SECRET_NAME in the environment
            does as well.
        allow_scripts
            Run the journey scripts of checks: code that whoever edits the catalog wrote.
        log_format
            console or json.
        """
        from pilothouse.kernel import logs

        logs.configure(log_format, "info")
        called = NAME.sub("-", name or socket.gethostname())[:100] or "agent"
        folder = spool or Path(".pilothouse-agent") / f"{location}-{called}"
        if not server.startswith(("https://", "http://")):
            raise Invalid(f"--server {server}: write an address, https://portal.example")
        made = _made(server, token, (location, called), folder, secrets, allow_scripts)
        return _live(made)


def _made(
    server: str,
    token: str,
    names: tuple[str, str],
    folder: Path,
    secrets: Path | None,
    scripts: bool,
) -> Any:
    from pilothouse.agent.addresses import judge
    from pilothouse.agent.client import Server
    from pilothouse.agent.loop import Agent
    from pilothouse.agent.secrets import Secrets
    from pilothouse.agent.spool import Spool
    from pilothouse.agent.visiting import Visitor

    location, name = names
    waits = Spool(folder)
    waits.open()
    visitor = Visitor(location, Secrets(secrets), judge(()), scripts=scripts)
    return lambda: Agent(Server(server, token, location, name), waits, visitor)


def _live(made: Callable[[], Any]) -> int:
    """Run an agent until it is told to end; by Ctrl-C, SIGTERM, or the end of its parent."""

    async def life() -> None:
        agent = made()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, agent.stop)
        orphaned = asyncio.create_task(_orphaned(agent.stop))
        log.info("agent.started", location=agent.server.location, name=agent.server.agent)
        gc.collect()
        gc.freeze()  # all of this stays
        try:
            await agent.run()
        finally:
            orphaned.cancel()
            agent.spool.close()

    asyncio.run(life())
    return FINE


async def _orphaned(stop: Callable[[], None]) -> None:
    """End with the program that started this one, also when that was killed."""
    parent = int(os.environ.get(PARENT, "0") or 0)
    while parent and os.getppid() == parent:  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0.5)
    if parent:
        stop()


def _check(cli: App) -> None:
    check = App(name="check", help="Run checks by hand.")
    cli.command(check)

    @check.command
    def run(
        what: str,
        name: str = "",
        *,
        secrets: Path | None = None,
        json: Annotated[bool, Parameter(negative=())] = False,
    ) -> int:
        """Visit once what a check is about, from here; print phases, assertions and the outcome.

        Nothing is kept, and nobody hears of it. Exit code 0 when it is ok, 1 when it is not.

        Parameters
        ----------
        what
            A catalog file, or the name of a check in the catalog files below this directory.
        name
            Which check of the file, where it has several.
        secrets
            File of lines NAME=value for ${secret:NAME}.
        json
            Print the result as an agent would send it.
        """
        from pilothouse.agent import byhand

        found = byhand.find(what, name)
        result = asyncio.run(byhand.visit(found, secrets))
        sys.stdout.write(byhand.as_json(result) if json else byhand.told(found, result))
        return FINE if result.outcome == "ok" else FINDINGS


def main() -> None:
    """`pilothouse agent …` without the rest of the program: no database, no web server."""
    from cyclopts import CycloptsError

    from pilothouse import __version__
    from pilothouse.kernel.errors import PilothouseError

    cli = App(name="pilothouse", version=__version__)
    register(cli)
    try:
        code = cli(sys.argv[1:], exit_on_error=False, print_error=True)
    except CycloptsError:
        sys.exit(2)
    except PilothouseError as error:
        sys.stderr.write(f"pilothouse: {error}\n")
        sys.exit(FINDINGS)
    sys.exit(code if isinstance(code, int) else FINE)
