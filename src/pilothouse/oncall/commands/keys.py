"""Routing keys of Events v2 on the command line; `pilothouse token create` makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cyclopts import App

from pilothouse.kernel.program import Program
from pilothouse.oncall.service import keys as service


def register(oncall: App, open_program: Callable[..., Program]) -> None:
    """Give `pilothouse oncall` the commands."""

    @oncall.command
    def keys(*, data: Path | None = None) -> None:
        """List routing keys by their first characters: of what, and their names.

        Parameters
        ----------
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        with program.db.read() as tx:
            found = service.valid(tx)
        for one in found:
            print(f"{one.hint}\t{one.entity}\t{one.name}")  # noqa: T201

    @oncall.command(name="revoke-key")
    def revoke_key(key: str, *, data: Path | None = None) -> None:
        """Have a routing key taken no more, at once.

        Parameters
        ----------
        key
            Its first eight characters, as `pilothouse oncall keys` prints them.
        data
            Folder of the database.
        """
        program = open_program(data=data and str(data), log_level="warning")
        with program.db.begin() as tx:
            service.revoke(tx, key)
        print(f"{key[:8]}… is revoked")  # noqa: T201
