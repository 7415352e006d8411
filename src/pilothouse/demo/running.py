"""The company's programs as children: a folder, ports, start, end; nothing is left of them."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

import msgspec

from pilothouse.demo import authority
from pilothouse.demo.model import (
    LISTENING,
    LOOPBACK,
    PLACES,
    STATE,
    WORKING,
    Company,
    address_of,
    faults_in,
)
from pilothouse.kernel.errors import Conflict

FILES = Path(__file__).parent / "files"
FIRST_PORT, HIGHEST_PORT = 8411, 32000  # above are those that outgoing connections take
JOURNEY = "journey.yaml"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TEMPLATE = ".in"  # so that no catalog takes our own folder for the company
MARK = re.compile(r"@([a-z-]+)@")
PORT = "-port"  # behind a program's name in a mark: its port alone
WAITING = 256  # connections of a program that is still starting
OURS = ".pilothouse-demo-folder"  # an empty file that says: this folder may be emptied
ENDING = 3.0  # seconds


@contextmanager
def folder_of_our_own(folder: Path, kept: Container[str] = ()) -> Iterator[Path]:
    """The demo's folder, empty but for what is kept, and nobody else's while it is used.

    Raises Conflict when another demo runs there, or when it holds what is not a demo's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / OURS).exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty and no demo's: name another folder with --data")
    with (folder / OURS).open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(f"a demo runs in {folder} already; end it with Ctrl-C") from None
        _empty(folder, kept)
        faults_in(folder).mkdir()
        yield folder
        (folder / STATE).unlink(missing_ok=True)


@contextmanager
def doors(first: int = FIRST_PORT) -> Iterator[dict[str, socket.socket]]:
    """A socket that listens for each program that does: from now on nobody else has its port."""
    with ExitStack() as held:
        found: dict[str, socket.socket] = {}
        for name in LISTENING:
            found[name] = held.enter_context(_door(first))
            first = found[name].getsockname()[1] + 1
        yield found


def found(
    folder: Path,
    portal: str,
    doors: Mapping[str, socket.socket],
    ahead: timedelta = timedelta(0),
) -> Company:
    """A company for this folder: its ports, its clock, and its files with them filled in."""
    ports = {name: door.getsockname()[1] for name, door in doors.items()}
    company = Company(
        folder=str(folder),
        portal=portal,
        ports=ports,
        ahead=ahead.total_seconds(),
        places=_has_places(ports["shop"]),
    )
    authority.found(folder)
    for source in sorted(FILES.rglob("*")):
        if source.is_file() and (source.name != JOURNEY or has_browser()):
            to = folder / "company" / source.relative_to(FILES)
            _write(company, source, to.with_name(source.name.removesuffix(TEMPLATE)))
    (folder / "company" / "places.yaml").write_text(_places())
    return company


def keep(company: Company) -> None:
    """Have the company's programs, and `demo break`, find it."""
    path = Path(company.folder) / STATE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(company))


@contextmanager
def running(company: Company, doors: Mapping[str, socket.socket]) -> Iterator[None]:
    """All programs of the company behind these doors; they end with us, however we end."""
    names = [name for name in (*LISTENING, *WORKING) if company.places or name != "network"]
    commands = [("pilothouse.demo.company", name) for name in names]
    commands += [("pilothouse.demo.agents",)] if company.agent_token else []
    with (Path(company.folder) / "company.log").open("ab") as log:
        children: list[subprocess.Popen[bytes]] = []
        try:
            children += (_start(company, one, log, doors.get(one[-1])) for one in commands)
            yield
        finally:
            _end(children)


def _start(
    company: Company, command: tuple[str, ...], log: IO[bytes], door: socket.socket | None
) -> subprocess.Popen[bytes]:
    """A program that ends when its standard input does: with us, were we killed.

    Its door is its own from then on: when it ends, nobody listens there.
    """
    given = () if door is None else (door.fileno(),)
    started = subprocess.Popen(
        [sys.executable, "-m", *command, company.folder, *map(str, given)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        pass_fds=given,
    )
    if door is not None:
        door.close()
    return started


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.stdin:
            with suppress(OSError):
                child.stdin.close()
    for child in children:
        try:
            child.wait(ENDING)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _empty(folder: Path, kept: Container[str]) -> None:
    for item in folder.iterdir():
        if item.name == OURS or item.name in kept:
            continue
        if item.is_dir() and not item.is_symlink():
            shutil.rmtree(item)
        else:
            item.unlink()


def _door(first: int) -> socket.socket:
    """A socket that listens on the next port that nobody has."""
    for port in range(first, HIGHEST_PORT):
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((LOOPBACK, port))
            door.listen(WAITING)  # here fails who bound it in the same instant as another
        except OSError:
            door.close()
            continue
        return door
    raise Conflict(f"no port between {first} and {HIGHEST_PORT} is free")


def is_free(port: int, address: str = LOOPBACK) -> bool:
    """Whether this machine lets us listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def has_browser() -> bool:
    """Whether journeys can be walked on this machine."""
    known = any(map(shutil.which, BROWSERS))
    return known and importlib.util.find_spec("playwright") is not None


def _has_places(port: int) -> bool:
    """Whether loopback has an address for each place; some systems have only one."""
    return all(is_free(port, address_of(place)) for place in PLACES)


def _write(company: Company, source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8")
    to.write_text(MARK.sub(lambda mark: _public(company, mark), text), encoding="utf-8")


def _public(company: Company, mark: re.Match[str]) -> str:
    name = mark[1]
    if name.removesuffix(PORT) != name:
        return str(company.ports[name.removesuffix(PORT)])
    return company.public(name) if name in company.ports else mark[0]


def _places() -> str:
    documents = (
        {
            "apiVersion": "pilothouse/v1",
            "kind": "ProbeLocation",
            "metadata": {"name": place.name, "title": place.title},
            "spec": {
                "region": place.region,
                "provider": place.provider,
                "latitude": place.latitude,
                "longitude": place.longitude,
                "private_targets": ["127.0.0.0/8"],
            },
        }
        for place in PLACES
    )
    return "\n---\n".join(msgspec.json.encode(one).decode() for one in documents) + "\n"
