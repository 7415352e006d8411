"""PostgreSQL: connects, asks; connections against their limit, and who waits at PgBouncer."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq.abc import PGconn, PGresult

from pilothouse.agent import connecting
from pilothouse.agent.connecting import Broken, Phases
from pilothouse.agent.probing import seen_by
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import IpChoice, Postgres

MOST_ROWS = 100
MOST_POOLS = 10_000
MOST_BYTES = 33_554_432  # of an answer; libpq keeps a row as a whole
MOST_USED = 0.9  # share of the connections above which it is degraded
LONGEST_WAIT = 1.0  # seconds that clients wait at PgBouncer before it is degraded
_PHASES = {  # libpq, "PQconnectPoll": what is under way in this state
    pq.ConnStatus.STARTED: "connect",
    pq.ConnStatus.SSL_STARTUP: "tls",
}
_FULL = ("too many clients", "too many connections", "connection slots", "no more connections")
_BOOLEAN, _WHOLE, _NUMBERS = 16, (20, 21, 23, 26), (700, 701, 1700)  # pg_type's oids
_LONGEST = 1000  # letters of a value
_TCP_INFO, _RECEIVED = 256, slice(128, 136)  # bytes of linux/tcp.h, tcpi_bytes_received
_AT_ONCE = 65_536  # bytes that may wait at the socket
SSLCERTMODE = 160_000  # the version of libpq that has it
# Of a dsn; the others read or write files of the agent, or have libpq ask somebody else.
_WHERE, _WHO = ("host", "port", "dbname"), ("user", "password")
_HOW = ("sslmode", "sslnegotiation", "channel_binding", "options", "target_session_attrs")
_TAKEN = frozenset((*_WHERE, *_WHO, *_HOW, "connect_timeout"))
# What libpq would else take from the agent's environment and home, for whichever server is asked.
_NOT_THE_AGENTS = {"password": "", "passfile": os.devnull, "gssencmode": "disable"} | (
    {"sslcertmode": "disable"} if pq.version() >= SSLCERTMODE else {}
)
# What everybody may read: pg_stat_activity tells only its own. Walkers of replication stand apart
# (max_wal_senders); reserved_connections is there since PostgreSQL 16.
_USED = """
SELECT sum(numbackends)::int AS used,
       current_setting('max_connections')::int
       - current_setting('superuser_reserved_connections')::int
       - coalesce(current_setting('reserved_connections', true)::int, 0) AS most,
       current_setting('server_version') AS version
  FROM pg_stat_database"""


async def probe(visit: Visit) -> Seen:
    """Ask the database and, at the same time, the pooler."""
    seen = await seen_by(visit, _look)
    seen.reason = visit.redact(seen.reason)
    return seen


async def _look(visit: Visit, seen: Seen, phases: Phases) -> None:
    spec = visit.spec.postgres or Postgres(dsn="")
    seen.protocol = "PostgreSQL"
    pooler = asyncio.ensure_future(_pooler(visit, spec)) if spec.pgbouncer else None
    try:
        await _database(visit, spec, seen, phases)
    except Broken as broken:
        waiting = await _waiting(pooler, seen) if pooler else ""
        said = "; ".join(filter(None, (broken.reason, waiting)))
        raise Broken(broken.fault, said, unable=broken.unable) from broken
    finally:
        if pooler:
            await asyncio.wait({pooler}, timeout=max(0.0, visit.until - _now()))
            pooler.cancel()
    waiting = await _waiting(pooler, seen) if pooler else ""
    full = _full(seen.values.get("connections"))
    seen.degraded = "; ".join(filter(None, (waiting, full)))


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _database(visit: Visit, spec: Postgres, seen: Seen, phases: Phases) -> None:
    """Raises Broken: for a query that is refused, for a server that is full, late or away."""
    try:
        async with asyncio.timeout_at(visit.until):
            wire = await _connected(visit, spec.dsn, spec.ip, phases, seen)
            try:
                with phases.measure("state"):
                    _count(seen, (await _rows(wire, _USED))[0])
                with phases.measure("query"):
                    seen.values["rows"] = await _rows(wire, spec.query)
            finally:
                wire.finish()
    except TimeoutError:
        raise connecting.late(phases) from None
    except psycopg.Error as error:
        raise _broke(error, visit) from error


def _count(seen: Seen, row: dict[str, Any]) -> None:
    used, most = int(row["used"]), max(1, int(row["most"]))
    share = round(used / most, 4)
    seen.values["connections"] = {"used": used, "limit": most, "share": share}
    seen.values["version"] = row["version"]
    seen.measured["connections"] = seen.values["connections"]


def _full(connections: dict[str, Any] | None) -> str:
    if not connections or connections["share"] < MOST_USED:
        return ""
    return f"{connections['used']} of {connections['limit']} connections are used"


async def _rows(wire: PGconn, query: str, most: int = MOST_ROWS) -> list[dict[str, Any]]:
    """At most so many rows, one by one as they come; those after them are not waited for.

    By libpq itself: psycopg's own connection, when it is given up, waits for the server once more.
    Raises psycopg.Error, Broken for an answer that is too long.
    """
    found: list[dict[str, Any]] = []
    before = _received(wire.socket)
    wire.send_query(query.encode())
    wire.set_single_row_mode()
    while wire.flush():
        await _ready(wire.socket, writing=True)
    while len(found) < most:
        while wire.is_busy():
            await _ready(wire.socket, writing=False)
            wire.consume_input()
            if _received(wire.socket) - before > MOST_BYTES:
                raise Broken("size", f"the answer is longer than {MOST_BYTES // 2**20} MiB")
        result = wire.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise psycopg.DatabaseError(result.get_error_message())
        found += [_row(result, number) for number in range(result.ntuples)]
    return found


def _narrow(fd: int) -> None:
    """Let little come at once: libpq reads on for as long as something is there."""
    with socket.socket(fileno=os.dup(fd)) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _AT_ONCE)


def _received(fd: int) -> int:
    """How many bytes have come over a connection (tcp(7), TCP_INFO); 0 where nobody says.

    libpq does not tell how much it holds, and what waits at the socket is not what it reads.
    """
    if sys.platform != "linux":
        return 0
    with socket.socket(fileno=os.dup(fd)) as same:
        told = same.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)
    return int.from_bytes(told[_RECEIVED], sys.byteorder)


def _row(result: PGresult, number: int) -> dict[str, Any]:
    return {
        (result.fname(column) or b"").decode("utf-8", "replace"): _plain(
            result.get_value(number, column), result.ftype(column)
        )
        for column in range(result.nfields)
    }


def _plain(value: bytes | None, kind: int) -> Any:
    """A value as assertions can read it: numbers and booleans, all else as its text."""
    if value is None:
        return None
    text = value[:_LONGEST].decode("utf-8", "replace")
    if kind == _BOOLEAN:
        return text == "t"
    if kind in _WHOLE:
        return int(text)
    return float(text) if kind in _NUMBERS else text


async def _connected(
    visit: Visit, dsn: str, ip: IpChoice, phases: Phases, seen: Seen | None = None
) -> PGconn:
    """A connection to an address that was judged. Raises Broken, psycopg.Error."""
    try:
        parts: dict[str, Any] = {**conninfo_to_dict(dsn)}
    except psycopg.ProgrammingError:
        raise Broken("dsn", "the dsn cannot be read", unable=True) from None
    kept = dict(_NOT_THE_AGENTS)
    if "password" in parts:
        kept.pop("password")
    host, port = str(parts.get("host") or ""), str(parts.get("port") or "5432")
    if not host or "," in host or host.startswith(("/", "@")) or not port.isdigit():
        raise Broken("dsn", "the dsn is to name one host, reached by TCP", unable=True)
    if parts.get("sslrootcert") == "system":
        kept["sslrootcert"] = "system"
    parts = {name: value for name, value in parts.items() if name in _TAKEN} | kept
    addresses = await connecting.addresses(visit, host, int(port), ip, phases)
    for place, address in enumerate(addresses):
        ipaddress.ip_address(address)
        parts |= {"hostaddr": address, "application_name": "pilothouse"}
        if seen is not None:
            seen.address = address
        try:
            return await _by_libpq(make_conninfo(**parts), phases)
        except psycopg.OperationalError:
            if place == len(addresses) - 1:
                raise
    raise Broken("DNS", f"{host} has no address")


async def _by_libpq(conninfo: str, phases: Phases) -> PGconn:
    """Connect step by step, so that each can be measured (libpq, "PQconnectPoll")."""
    wire = pq.PGconn.connect_start(conninfo.encode())
    try:
        asked = pq.PollingStatus.WRITING
        while asked in (pq.PollingStatus.READING, pq.PollingStatus.WRITING):
            if wire.status == pq.ConnStatus.BAD:
                break
            with phases.measure(_PHASES.get(pq.ConnStatus(wire.status), "first_byte")):
                await _ready(wire.socket, writing=asked == pq.PollingStatus.WRITING)
                asked = wire.connect_poll()
        if asked != pq.PollingStatus.OK:
            _refuse(wire)
        wire.nonblocking = 1
        _narrow(wire.socket)
        if not wire.ssl_in_use:  # it was asked for, and that was all
            asking = phases.ms.pop("tls", 0.0)
            phases.ms["first_byte"] = phases.ms.get("first_byte", 0.0) + asking
    except BaseException:
        wire.finish()
        raise
    return wire


def _refuse(wire: PGconn) -> NoReturn:
    raise psycopg.OperationalError(wire.get_error_message())


async def _ready(fd: int, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()
    add: Callable[..., None] = loop.add_writer if writing else loop.add_reader
    remove = loop.remove_writer if writing else loop.remove_reader
    add(fd, lambda: future.done() or future.set_result(None))
    try:
        await future
    finally:
        remove(fd)


def _broke(error: psycopg.Error, visit: Visit) -> Broken:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = lines[0] if lines else type(error).__name__
    said = visit.redact.beginning(first.removeprefix("ERROR:").strip(), 300)
    lower = said.lower()
    if any(part in lower for part in _FULL):
        return Broken("full", said)
    if "authentication" in lower or "password" in lower:
        return Broken("auth", said)
    if isinstance(error, psycopg.OperationalError):
        return Broken("conn", said)
    return Broken("SQL", said)


async def _pooler(visit: Visit, spec: Postgres) -> dict[str, Any]:
    """What PgBouncer's admin console tells of its pools (pgbouncer.org, "SHOW commands")."""
    async with asyncio.timeout_at(visit.until - min(0.1, (visit.until - _now()) / 10)):
        wire = await _connected(visit, spec.pgbouncer, spec.ip, Phases())
        try:
            pools = await _rows(wire, "SHOW POOLS", MOST_POOLS)
            databases = await _rows(wire, "SHOW DATABASES", MOST_POOLS)
        finally:
            wire.finish()
    return _pools(pools, databases)


def _pools(pools: list[dict[str, Any]], databases: list[dict[str, Any]]) -> dict[str, Any]:
    sizes = {row["name"]: int(row["pool_size"]) for row in databases}
    found = {
        "waiting": 0,
        "longest_wait": timedelta(0),
        "active": 0,
        "servers": 0,
        "share": 0.0,
        "pool": "",
    }
    for row in pools:
        if row["database"] == "pgbouncer":
            continue
        busy = int(row["sv_active"])
        wait = timedelta(seconds=int(row["maxwait"]), microseconds=int(row.get("maxwait_us", 0)))
        found["waiting"] += int(row["cl_waiting"])
        found["active"] += int(row["cl_active"])
        found["servers"] += busy
        found["share"] = max(found["share"], round(busy / max(1, sizes.get(row["database"], 1)), 4))
        if int(row["cl_waiting"]) and wait >= found["longest_wait"]:
            found["longest_wait"], found["pool"] = wait, f"{row['database']}/{row['user']}"
    return found


async def _waiting(pooler: asyncio.Future[dict[str, Any]], seen: Seen) -> str:
    """Take in what the pooler tells; a sentence where clients wait for long."""
    try:
        found = await pooler
    except (Broken, psycopg.Error, TimeoutError, OSError, KeyError, ValueError) as error:
        lines = (error.reason if isinstance(error, Broken) else str(error)).splitlines()
        return f"PgBouncer's console: {lines[-1] if lines else 'no answer in time'}"[:300]
    except asyncio.CancelledError:
        return "PgBouncer's console did not answer in time"
    seen.values["pgbouncer"] = found
    wait = found["longest_wait"] / timedelta(seconds=1)
    seen.measured["pgbouncer"] = found | {"longest_wait": round(wait, 3)}
    if not found["waiting"] or wait < LONGEST_WAIT:
        return ""
    who = "client waits" if found["waiting"] == 1 else "clients wait"
    return (
        f"{found['waiting']} {who} for a connection at PgBouncer, the longest for {wait:.1f} s, "
        f"in pool {found['pool']}"
    )
