"""The command line: `pilothouse up` and its sisters."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import structlog
from cyclopts import App, CycloptsError, Parameter
from sqlalchemy.exc import OperationalError

from pilothouse import __version__, app
from pilothouse.agent import commands as agent_commands
from pilothouse.demo import commands as demo
from pilothouse.kernel import logs
from pilothouse.kernel.errors import Conflict, Invalid, PilothouseError
from pilothouse.kernel.memory import use_one_arena
from pilothouse.kernel.module import Module
from pilothouse.kernel.program import Program
from pilothouse.kernel.settings import Settings, load

log = structlog.get_logger("pilothouse")

FINE, FINDINGS, USAGE = 0, 1, 2
STOPPING = 2.0  # seconds that background work is given to end
AGENT_DAYS = 366  # that the token of the agent beside the portal is valid; each start makes one
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where to ask what listens anywhere
HEEDING = 0.5  # seconds in which a worker heeds a signal

Data = Annotated[Path | None, Parameter(help="Folder for the database and copies of git sources.")]

cli = App(
    name="pilothouse",
    version=__version__,
    help="The first place anyone goes when an incident starts.",
    help_epilogue="Settings: pilothouse.toml, or PILOTHOUSE_NAME in the environment.",
)


def open_program(**overrides: Any) -> Program:
    """The program with these settings over those of the file and the environment."""
    settings = load(overrides)
    logs.configure(settings.log_format, settings.log_level)
    return app.program(settings)


@cli.command
def up(
    *sources: str,
    data: Data = None,
    host: str | None = None,
    port: int | None = None,
) -> int:
    """Serve the portal and do its background work, in one process.

    Parameters
    ----------
    sources
        Directories, files or git URLs with catalog files. Default: those in the settings, or this
        directory. One that is no longer named leaves the catalog, with its history kept.
    host
        Address to serve on; another than this machine's own needs sign-in.
    port
        Port to serve on, 8400 by default.
    """
    return run(_settings(data=data, host=host, port=port, sources=sources))


def run(settings: Settings, more: Sequence[Module] = (), *, local: bool = True) -> int:
    """Serve the portal of these settings and do its background work, until told to end.

    `more` are modules beside those of every program; `local`: with an agent of this machine.
    """
    from pilothouse.kernel.web.server import listen

    taken = listen(settings)
    program = app.program(settings, more)
    beside = _Beside(program, local=local)
    try:
        _serve(program, [taken], beside.begin, beside.ending)
    finally:
        failed = beside.end()
    return FINDINGS if failed else FINE


class _Beside:
    """What runs beside the server of `up`: background work, and the agent of this machine."""

    def __init__(self, program: Program, *, local: bool) -> None:
        self.program, self.local = program, local
        self.worker = program.worker()
        self.stop, self.ended = threading.Event(), threading.Event()
        self.thread = self._thread(_or_end, self._work, self.stop)
        self.agent = self._thread(_local_agent, program, self.ended)

    def _thread(self, target: Callable[..., None], *args: Any) -> threading.Thread:
        return threading.Thread(target=target, args=args, daemon=True)

    def _work(self) -> None:
        _say_home(self.program)
        self._thread(_or_end, self._load, self.stop).start()
        self.worker.run()

    def _load(self) -> None:
        from pilothouse.catalog.commands import load_sources

        load_sources(self.program, self.program.settings.sources or (".",))
        _upkeep(self.program, self.stop)

    def begin(self) -> None:
        self.thread.start()
        if self.local:
            self.agent.start()

    def ending(self) -> None:
        """The server is told to end."""
        self.ended.set()  # first: it has a request open that is answered when there is work
        self.worker.stop()

    def end(self) -> bool:
        """Wait for all of it, not for ever; whether it failed."""
        failed = self.stop.is_set()
        self.stop.set()
        self.ending()
        for one, patience in ((self.thread, STOPPING), (self.agent, STOPPING * 3)):
            if one.ident:
                one.join(timeout=patience)
        return failed


@cli.command
def serve(*, data: Data = None, host: str | None = None, port: int | None = None) -> None:
    """Serve the portal only; some `pilothouse work` does the background work.

    Parameters
    ----------
    host
        Address to serve on; another than this machine's own needs sign-in.
    port
        Port to serve on, 8400 by default.
    """
    from pilothouse.kernel.web.server import listen

    settings = _settings(data=data, host=host, port=port)
    taken = listen(settings)
    _serve(app.program(settings), [taken], lambda: None, lambda: None)


@cli.command
def work(*sources: str, data: Data = None) -> int:
    """Do the background work only; some `pilothouse serve` serves the portal.

    Parameters
    ----------
    sources
        Directories, files or git URLs with catalog files. Default: those in the settings.
    """
    from pilothouse.catalog.commands import register_sources

    settings = _settings(data=data, sources=sources)
    program = app.program(settings)
    if settings.sources:
        register_sources(program, settings.sources)
    stop, worker = threading.Event(), program.worker()

    def end(*_: object) -> None:
        stop.set()
        worker.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    _upkeep(program, stop)
    # Not on this thread: a signal would be handled amid the worker's own use of the locks in `end`.
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    while thread.is_alive():
        # A signal that the system hands to another thread does not wake this one.
        thread.join(timeout=HEEDING)
    return FINE if stop.is_set() else FINDINGS


@cli.command
def backup(file: Path, *, data: Data = None) -> None:
    """Write everything the database holds to one file, while the portal goes on.

    Parameters
    ----------
    file
        File to write; it appears whole or not at all.
    """
    from pilothouse.kernel.backup import write_backup

    settings = _settings(data=data)
    if settings.database_url is None and not Path(settings.data).is_dir():
        raise Conflict(
            f"there is no database in {settings.data}: go to where Pilothouse was started, or name "
            "its folder with --data"
        )
    rows = write_backup(app.program(settings).db, file)
    print(f"{file}: {rows:,} rows, {file.stat().st_size:,} bytes")  # noqa: T201


@cli.command
def restore(file: Path, *, data: Data = None) -> None:
    """Fill an empty database, SQLite or PostgreSQL, from a backup of either.

    Parameters
    ----------
    file
        A file that `pilothouse backup` wrote.
    """
    from pilothouse.kernel.backup import read_backup
    from pilothouse.kernel.program import connected

    db = connected(_settings(data=data), ())
    rows = read_backup(db, file)
    print(f"{rows:,} rows restored from {file}")  # noqa: T201


@cli.command
def schema(kind: str) -> None:
    """Print the JSON Schema of a kind's spec, for editors.

    Parameters
    ----------
    kind
        A kind that a module owns.
    """
    import msgspec

    kinds = {item.name.lower(): item for module in app.modules() for item in module.kinds}
    if kind.lower() not in kinds:
        known = ", ".join(sorted(item.name for item in kinds.values())) or "none yet"
        raise Invalid(f"no module owns the kind {kind!r}. Known are: {known}.")
    print(msgspec.json.encode(msgspec.json.schema(kinds[kind.lower()].spec)).decode())  # noqa: T201


def _settings(*, data: Path | None, sources: Sequence[str] = (), **overrides: Any) -> Settings:
    chosen = {"data": data and str(data), "sources": sources or None, **overrides}
    settings = load(chosen)
    logs.configure(settings.log_format, settings.log_level)
    return settings


def _or_end(background: Callable[[], None], stop: threading.Event) -> None:
    """Do background work; a portal that cannot do it ends, so that whoever watches it sees."""
    try:
        background()
    except Exception:
        log.exception("background.failed")
        stop.set()
        os.kill(os.getpid(), signal.SIGTERM)


def _local_agent(program: Program, stop: threading.Event) -> None:
    """Keep the agent of this machine running beside the portal, once there are checks."""
    from pilothouse.agent.child import LOCAL, Child
    from pilothouse.catalog.service import annotated
    from pilothouse.kernel.auth.service import tokens

    def token() -> str:
        with program.db.begin() as tx:
            name = "the agent of this machine"
            return tokens.create(tx, None, name, ["agent"], AGENT_DAYS, LOCAL)[0]

    def needed() -> bool:
        with program.db.read() as tx:
            return bool(annotated.of_kinds(tx, ("check",), 1))

    settings = program.settings
    here = LOOPBACK.get(settings.host, settings.host)
    host = f"[{here}]" if ":" in here else here
    folder = Path(settings.data) / "agent"
    try:
        address = f"http://{host}:{settings.port}"
        Child(address, folder, token, needed, settings.runs_scripts).keep(stop)
    except Exception:  # the portal goes on without it, and says that its location is silent
        log.exception("agent.not_started")


def _say_home(program: Program) -> None:
    who = (
        "People sign in."
        if program.settings.signs_in
        else "Everybody on this machine is its admin: sign-in is not set up."
    )
    print(  # noqa: T201
        f"Pilothouse {__version__} at {program.settings.home}\n  {who} Ctrl-C ends it.",
        flush=True,
    )


def _upkeep(program: Program, stop: threading.Event) -> None:
    for module in program.modules:
        if module.upkeep:
            module.upkeep(program, stop)


def _serve(
    program: Program, sockets: list[Any], then: Callable[[], Any], ending: Callable[[], None]
) -> None:
    from pilothouse.checks.jobs.lobby import lobby
    from pilothouse.kernel.telemetry import trace
    from pilothouse.kernel.web.build import build
    from pilothouse.kernel.web.server import make

    application, live = build(program)
    application = trace(application, program.db, program.settings.otlp_endpoint)
    waiting = lobby(program.db)

    def ends() -> None:
        waiting.close()
        ending()

    server = make(application, live, program.settings, ends)
    gc.freeze()  # all of this stays: collections need not look through it again and again
    then()
    server.run(sockets=sockets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with 0 fine, 1 findings or failure, 2 usage."""
    use_one_arena()
    try:
        for module in app.modules():
            if module.commands:
                module.commands(cli, open_program)
        agent_commands.register(cli)
        demo.register(cli, open_program, run)
        result = cli(arguments, exit_on_error=False, print_error=True)
    except CycloptsError:
        sys.exit(USAGE)
    except PilothouseError as error:
        print(f"pilothouse: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(FINDINGS)
    except OperationalError as error:
        print(f"pilothouse: the database does not answer: {error.orig}", file=sys.stderr)  # noqa: T201
        sys.exit(FINDINGS)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    sys.exit(result if isinstance(result, int) else FINE)


if __name__ == "__main__":
    main()
