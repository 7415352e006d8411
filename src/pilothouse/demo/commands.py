"""`pilothouse demo`, `demo break`, `demo repair`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from pilothouse.demo.model import FAULTS
from pilothouse.kernel.program import Program

Open = Callable[..., Program]
Run = Callable[..., int]
FOLDER = Path(".pilothouse-demo")
PORT = 8400

Data = Annotated[Path, Parameter(help="Folder of the demo; it is emptied at each start.")]


def register(cli: App, open_program: Open, run: Run) -> None:
    """Give the program the commands; `run` serves a portal until it is told to end."""
    demo = App(name="demo", help="A small company that really runs, to try Pilothouse with.")
    cli.command(demo)
    _add_start(demo, open_program, run)
    _add_break(demo)
    _add_repair(demo)


def _add_start(demo: App, open_program: Open, run: Run) -> None:
    @demo.default
    def start(*, data: Data = FOLDER, port: int | None = None, clock: str = "") -> int:
        """Start a small company on this machine, and the portal that watches it. Ctrl-C ends all.

        Parameters
        ----------
        port
            Port of the portal, 8400 by default, or the next that is free.
        clock
            Travel in time: go on with what the last demo left, that much later: 29d.
        """
        from pilothouse.demo.starting import start as start_demo
        from pilothouse.kernel import durations

        ahead = durations.parse(clock.removeprefix("+")) if clock else None
        return start_demo(data.resolve(), port, ahead, open_program, run)


def _add_break(demo: App) -> None:
    @demo.command(name="break")
    def break_(what: str, *, data: Data = FOLDER) -> None:
        """Break something of the company that runs.

        Parameters
        ----------
        what
            checkout, cdn-eu, third-party, sign-in or database-pool.
        """
        from pilothouse.demo import faults

        fault = faults.named(what)
        faults.break_(faults.running_in(data.resolve()), fault)
        _say(f"Broken: {fault.does}.")
        _say(f"Within half a minute Now says: {fault.seen}.")
        _say(f"Then: pilothouse demo repair {fault.name}")


def _add_repair(demo: App) -> None:
    @demo.command
    def repair(what: str = "", *, data: Data = FOLDER) -> None:
        """Repair something of the company that runs, or everything.

        Parameters
        ----------
        what
            What was broken; without it, all that is.
        """
        from pilothouse.demo import faults

        names = [faults.named(what).name] if what else [fault.name for fault in FAULTS]
        repaired = faults.repair(faults.running_in(data.resolve()), names)
        _say(f"Repaired: {', '.join(repaired)}." if repaired else "Nothing of it was broken.")


def _say(text: Any) -> None:
    print(text, flush=True)  # noqa: T201
