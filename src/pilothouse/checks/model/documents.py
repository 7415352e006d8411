"""`kind: Check` and `kind: ProbeLocation`, as people write them (docs/checks.md)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from pilothouse.kernel.durations import Duration

NETWORK_TYPES = ("http", "tcp", "tls", "dns", "icmp", "grpc", "websocket", "smtp", "postgres")
TYPES = (*NETWORK_TYPES, "heartbeat", "oidc", "journey")
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
IpChoice = Literal["any", 4, 6]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
Expression = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Urgency = Literal["high", "low"]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a document: a field nobody knows is an error that names the nearest known one."""


class Basic(Strict, frozen=True):
    """A name and a password."""

    username: Text
    password: Text


class ClientCredentials(Strict, frozen=True):
    """OAuth 2.0 client credentials (RFC 6749, 4.4): a token is fetched first, and kept."""

    token_url: Text
    client_id: Text
    client_secret: Text
    scope: Text = ""
    audience: Text = ""


class Http(Strict, frozen=True):
    """One request, and those it is redirected to."""

    url: Text
    method: Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,20}$")] = "GET"
    headers: dict[str, Text] = {}
    body: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    follow_redirects: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    ip: IpChoice = "any"
    version: Literal["any", "1.1", "2"] = "any"  # "any": what the server chooses by ALPN
    verify: bool = True  # the certificate's chain and name
    basic: Basic | None = None
    bearer: Text = ""
    oauth2: ClientCredentials | None = None


class Tcp(Strict, frozen=True):
    """Connects; sends and reads where it says so."""

    host: Text
    port: Port
    send: Text = ""
    read: bool = False  # wait for the first bytes of an answer
    ip: IpChoice = "any"


class Tls(Strict, frozen=True):
    """A handshake: the chain, the host name, how long the certificate is good for."""

    host: Text
    port: Port = 443
    server_name: Text = ""  # for SNI and the name in the certificate; else the host
    ip: IpChoice = "any"


class Dns(Strict, frozen=True):
    """One question to one resolver."""

    name: Text
    record: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    resolver: Text = ""  # an address, with :port where it is not 53; none: the agent's own
    protocol: Literal["udp", "tcp"] = "udp"


class Icmp(Strict, frozen=True):
    """Echo requests, by a datagram socket."""

    host: Text
    count: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    ip: IpChoice = "any"


class Grpc(Strict, frozen=True):
    """grpc.health.v1.Health/Check."""

    host: Text
    port: Port
    service: Text = ""
    tls: bool = False
    ip: IpChoice = "any"


class Websocket(Strict, frozen=True):
    """Connects (RFC 6455), sends, waits for one message."""

    url: Text
    headers: dict[str, Text] = {}
    send: Text = ""
    receive: bool = True  # wait for a message
    ip: IpChoice = "any"


class Smtp(Strict, frozen=True):
    """Greets, asks what the server can do, encrypts and signs in where it says so."""

    host: Text
    port: Port = 25
    tls: Literal["none", "starttls", "implicit"] = "none"
    username: Text = ""
    password: Text = ""
    ip: IpChoice = "any"


class Heartbeat(Strict, frozen=True):
    """Something calls us: every `period`, or when `cron` says so, at most `grace` late."""

    period: Duration | None = None
    cron: str | None = None  # five fields, as crontab(5)
    time_zone: str = "UTC"  # of `cron`
    grace: Duration = "5m"
    longest: Duration | None = None  # between its start and its end


class Postgres(Strict, frozen=True):
    """Connects, asks; counts connections against their limit, and PgBouncer's waiting clients."""

    dsn: Text  # postgresql://watch:${secret:WATCH}@db.example/shop
    query: Text = "SELECT 1"
    pgbouncer: Text = ""  # dsn of its admin console: …/pgbouncer
    ip: IpChoice = "any"


class Oidc(Strict, frozen=True):
    """The whole sign-in: discovery, keys, authorisation, sign-in form, token, userinfo."""

    issuer: Text
    client_id: Text
    username: Text
    password: Text
    client_secret: Text = ""
    redirect_uri: Text = "http://127.0.0.1/callback"
    scope: Text = "openid"
    form: dict[str, Text] = {}  # more fields of the form, or other names of them


class Step(Strict, frozen=True):
    """One step of a journey, exactly one of its actions; `in` names where."""

    name: Text = ""
    goto: Text | None = None
    fill: tuple[Text, Text] | None = None  # selector, value
    click: Text | None = None
    expect: Text | None = None  # a selector that becomes visible
    wait: Duration | None = None


class ThirdParty(Strict, frozen=True):
    """Budgets of what others serve into our pages; over one of them: degraded."""

    blocking_ms: float | None = None  # main-thread time, all of them together
    hosts: dict[str, float] = {}  # by registrable domain: milliseconds its requests may take


class Journey(Strict, frozen=True):
    """A browser walks a path: a Python file beside the document, or declared steps."""

    script: Text = ""  # `async def journey(page, step)`; relative to the document
    code: Annotated[str, msgspec.Meta(max_length=200_000)] = ""  # the file's text, filled at sync
    steps: tuple[Step, ...] = ()
    viewport: tuple[int, int] = (1280, 800)
    third_party: ThirdParty = ThirdParty()
    memory: Annotated[int, msgspec.Meta(ge=128, le=8192)] = 1024  # MiB, of all its processes


class Regions(Strict, frozen=True):
    """All locations of some regions."""

    regions: tuple[str, ...]


class Judging(Strict, frozen=True):
    """How locations decide together (docs/verdict.md)."""

    quorum: (
        Annotated[int, msgspec.Meta(ge=1)]
        | Annotated[str, msgspec.Meta(pattern="^(100|[1-9]?[0-9])%$")]
    ) = 2
    down_after: Annotated[int, msgspec.Meta(ge=1, le=20)] = 2  # results in a row at one location
    up_after: Annotated[int, msgspec.Meta(ge=1, le=20)] = 2


class Alerting(Strict, frozen=True):
    """Who hears of it, and how loudly; by default the owner's policy."""

    urgency: Urgency | None = None  # default: high for critical checks, else low
    policy: str | None = None
    degraded: bool | None = None  # whether `degraded` alerts; default: on critical paths only


class Maintenance(Strict, frozen=True):
    """A window in which nothing is a finding: once, or again and again at the same wall time."""

    start: str  # 2026-12-01T02:00, wall time in `time_zone`
    lasts: Duration = msgspec.field(name="for")
    every: Duration | None = None  # whole days or weeks
    time_zone: str = "UTC"


class CheckSpec(Strict, frozen=True):
    """A critical path worth waking someone for. Exactly one of the types is given."""

    entity: str  # what it watches; its owner owns the check
    critical: bool = False  # stands on Now, and pages for degraded as for failed
    every: Duration = "5m"
    timeout: Duration = "10s"
    locations: Literal["all"] | tuple[str, ...] | Regions = "all"
    http: Http | None = None
    tcp: Tcp | None = None
    tls: Tls | None = None
    dns: Dns | None = None
    icmp: Icmp | None = None
    grpc: Grpc | None = None
    websocket: Websocket | None = None
    smtp: Smtp | None = None
    heartbeat: Heartbeat | None = None
    postgres: Postgres | None = None
    oidc: Oidc | None = None
    journey: Journey | None = None
    expect: tuple[Expression, ...] = ()  # CEL; any false: failed
    prefer: tuple[Expression, ...] = ()  # CEL; any false: degraded
    verdict: Judging = Judging()
    alert: Alerting = Alerting()
    maintenance: tuple[Maintenance, ...] = ()

    @property
    def type(self) -> str:
        """Which of the types it is; "" for a document that names none."""
        return next((name for name in TYPES if getattr(self, name) is not None), "")


class LocationSpec(Strict, frozen=True):
    """A place that agents look from."""

    region: str
    provider: str = ""
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    private_targets: tuple[str, ...] = ()  # networks that are not public and may be visited
    references: tuple[str, ...] = ()  # addresses that must be reachable for it to be in health
