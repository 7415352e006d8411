"""Configurations of Gatus 5 as checks: endpoints, external endpoints, maintenance."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pilothouse.checks.formats import conditions, lined
from pilothouse.checks.formats.imported import (
    Draft,
    Imported,
    Names,
    Notes,
    duration_of,
    milliseconds,
    record_of,
    rhythm,
    secret_name,
    slug,
)
from pilothouse.checks.formats.lined import Lined
from pilothouse.checks.model.documents import (
    CheckSpec,
    ClientCredentials,
    Dns,
    Grpc,
    Heartbeat,
    Http,
    Icmp,
    Judging,
    Maintenance,
    Smtp,
    Tcp,
    Tls,
    Websocket,
)

MONDAY = "2024-01-0{}"  # 1 January 2024 was one: where recurring windows begin
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KNOWN = frozenset(
    {"endpoints", "external-endpoints", "maintenance", "alerting", "suites", "remote"}
)
OURS = {  # keys at the top that mean nothing for checks
    "storage": "results are kept in the database of this portal",
    "web": "the portal has its own settings",
    "ui": "the portal has its own pages",
    "security": "sign-in is set up once for the portal (docs/sign-in.md)",
    "metrics": "the portal has its own /metrics",
    "concurrency": "agents share the work",
    "connectivity": "write `references` in a ProbeLocation",
    "announcements": "there is no counterpart",
}
READ = frozenset(
    (
        *("name", "group", "url", "enabled", "interval", "method", "body", "graphql", "headers"),
        *("conditions", "client", "dns", "ssh", "alerts", "maintenance-windows", "ui"),
    )
)
CLIENT = frozenset({"insecure", "ignore-redirect", "timeout", "oauth2", "network"})
_VARIABLE = re.compile(r"\$\$|\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_PRIVATE = re.compile(r"(?i)^(authorization|cookie|.*(token|secret|password|api-?key).*)$")


def read(data: bytes, entity: str = "") -> Imported:
    """Its endpoints as checks of `entity`, else of components called as their groups.

    Raises Invalid for what is no YAML.
    """
    return _Reading(lined.read(data), entity).read()


class _Reading:
    """One configuration: what all of its endpoints share."""

    def __init__(self, top: Lined, entity: str) -> None:
        self.top, self.entity = top, entity
        self.notes, self.names = Notes(), Names()
        self.windows = _windows(top.get("maintenance"), self.notes)

    def read(self) -> Imported:
        for key, value in self.top.pairs():
            if key in OURS:
                self.notes.add(value.line, key, OURS[key])
            elif key not in KNOWN:
                self.notes.add(value.line, key, "not known")
        for name, provider in self.top.get("alerting").pairs():
            why = "whoever answers for the entity is told (docs/alerts.md)"
            self.notes.add(provider.line, f"alerting.{name}", why)
        for suite in self.top.get("suites").items():
            why = "write its endpoints as steps of a journey, or as checks of their own"
            self.notes.add(suite.line, f"suites: {suite.get('name').text()}", why)
        if self.top.has("remote"):
            self.notes.add(self.top.get("remote").line, "remote", "other servers are not asked")
        drafts = [self._endpoint(one) for one in self.top.get("endpoints").items()]
        drafts += [self._external(one) for one in self.top.get("external-endpoints").items()]
        return Imported(tuple(one for one in drafts if one), self.notes.ordered())

    def _endpoint(self, endpoint: Lined) -> Draft | None:
        title = endpoint.get("name").text()
        notes = self.notes.about(f"endpoints: {title or 'one without a name'}")
        if not endpoint.get("enabled").true(default=True):
            notes.add(endpoint.get("enabled").line, "enabled", "it is switched off; left out")
            return None
        for key, value in endpoint.pairs():
            if key not in READ:
                notes.add(value.line, key, "there is no counterpart")
        target = _Target(endpoint, notes).target()
        if target is None:
            return None
        kind, made = target
        client = endpoint.get("client")
        every = duration_of(endpoint.get("interval"), notes, "interval", "1m")
        timeout = duration_of(client.get("timeout"), notes, "client.timeout", "10s")
        every, timeout = rhythm(every, timeout, endpoint.line, notes)
        spec = {
            "entity": self._entity(endpoint),
            "every": every,
            "timeout": timeout,
            "expect": _expect(endpoint.get("conditions"), kind, notes),
            "verdict": _judging(endpoint.get("alerts"), notes),
            "maintenance": self.windows + _listed(endpoint.get("maintenance-windows"), notes),
            kind: made,
        }
        return Draft(self._name(endpoint), title, CheckSpec(**spec))

    def _external(self, endpoint: Lined) -> Draft | None:
        title = endpoint.get("name").text()
        notes = self.notes.about(f"external-endpoints: {title}")
        period = endpoint.get("heartbeat").get("interval")
        if milliseconds(period.text()) in {None, 0.0}:
            why = "without heartbeat.interval nothing says how often it is told; left out"
            notes.add(endpoint.line, "heartbeat", why)
            return None
        if endpoint.has("token"):
            why = "the check's page shows its own URL to call, which needs no token"
            notes.add(endpoint.get("token").line, "token", why)
        heartbeat = Heartbeat(period=duration_of(period, notes, "heartbeat.interval", "1h"))
        judging = _judging(endpoint.get("alerts"), notes)
        spec = CheckSpec(entity=self._entity(endpoint), heartbeat=heartbeat, verdict=judging)
        return Draft(self._name(endpoint), title, spec)

    def _entity(self, endpoint: Lined) -> str:
        group = endpoint.get("group").text() or endpoint.get("name").text()
        return self.entity or f"component:default/{slug(group)}"

    def _name(self, endpoint: Lined) -> str:
        both = (endpoint.get("group").text(), endpoint.get("name").text())
        return self.names.of(" ".join(filter(None, both)))


class _Target:
    """What an endpoint looks at; its URL says which type."""

    def __init__(self, endpoint: Lined, notes: Notes) -> None:
        self.endpoint, self.notes = endpoint, notes
        self.client = endpoint.get("client")
        self.url = self._text(endpoint.get("url"), "url")
        for key, value in self.client.pairs():
            if key not in CLIENT:
                notes.add(value.line, f"client.{key}", "there is no counterpart")

    def target(self) -> tuple[str, Any] | None:
        """The name of the type and its part of the document; None for what has no counterpart."""
        if self.endpoint.has("dns"):
            return "dns", self._dns()
        scheme = self.url.partition("://")[0].lower()
        makers = {
            "http": self._http, "https": self._http, "ws": self._websocket,
            "wss": self._websocket, "grpc": self._grpc, "grpcs": self._grpc, "tcp": self._tcp,
            "ssh": self._ssh, "tls": self._tls, "starttls": self._smtp, "icmp": self._icmp,
        }  # fmt: skip
        if scheme not in makers:
            line = self.endpoint.get("url").line
            self.notes.add(line, "url", f"{self.url!r} is of no type that is known here; left out")
            return None
        return makers[scheme]()

    def _http(self) -> tuple[str, Http]:
        body = self._text(self.endpoint.get("body"), "body")
        headers = self._headers()
        if self.endpoint.get("graphql").true():
            body = msgspec.json.encode({"query": body}).decode()
            headers = {"content-type": "application/json"} | headers
        return "http", Http(
            url=self.url,
            method=self.endpoint.get("method").text("GET").upper(),
            headers=headers,
            body=body,
            follow_redirects=0 if self.client.get("ignore-redirect").true() else 5,
            verify=not self.client.get("insecure").true(),
            ip=self._ip(),
            oauth2=self._oauth2(),
        )

    def _websocket(self) -> tuple[str, Websocket]:
        sent = self._text(self.endpoint.get("body"), "body")
        return "websocket", Websocket(url=self.url, headers=self._headers(), send=sent)

    def _grpc(self) -> tuple[str, Grpc]:
        host, port = self._address(443 if self.url.startswith("grpcs") else 80)
        encrypted = self.url.lower().startswith("grpcs")
        return "grpc", Grpc(host=host, port=port, tls=encrypted, ip=self._ip())

    def _tcp(self) -> tuple[str, Tcp]:
        host, port = self._address(80)
        sent = self._text(self.endpoint.get("body"), "body")
        return "tcp", Tcp(host=host, port=port, send=sent, read=bool(sent), ip=self._ip())

    def _ssh(self) -> tuple[str, Tcp]:
        host, port = self._address(22)
        line = self.endpoint.get("ssh").line
        why = "nobody signs in: the check connects and waits for the server's greeting"
        self.notes.add(line, "ssh", why)
        return "tcp", Tcp(host=host, port=port, read=True, ip=self._ip())

    def _tls(self) -> tuple[str, Tls]:
        host, port = self._address(443)
        return "tls", Tls(host=host, port=port, ip=self._ip())

    def _smtp(self) -> tuple[str, Smtp]:
        host, port = self._address(25)
        return "smtp", Smtp(host=host, port=port, tls="starttls", ip=self._ip())

    def _icmp(self) -> tuple[str, Icmp]:
        return "icmp", Icmp(host=self._address(1)[0], count=1, ip=self._ip())

    def _dns(self) -> Dns:
        asked = self.endpoint.get("dns")
        record = record_of(asked.get("query-type"), self.notes, "dns.query-type")
        resolver = self.url.partition("://")[2] or self.url
        return Dns(
            name=asked.get("query-name").text().rstrip("."), record=record, resolver=resolver
        )

    def _address(self, port: int) -> tuple[str, int]:
        try:
            parts = urlsplit(self.url)
            host, given = parts.hostname or "", parts.port or port
        except ValueError:
            self.notes.add(self.endpoint.get("url").line, "url", f"{self.url!r} has no usable port")
            host, given = self.url.partition("://")[2], port
        return host, given

    def _ip(self) -> Any:
        return {"ip4": 4, "ip6": 6}.get(self.client.get("network").text(), "any")

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in self.endpoint.get("headers").pairs():
            text = self._text(value, f"headers.{name}")
            if _PRIVATE.match(name) and "${secret:" not in text:
                text = self._secret(value, f"headers.{name}", text, name)
            found[name.lower()] = text
        return found

    def _secret(self, value: Lined, what: str, text: str, name: str) -> str:
        """A secret does not go into a document: its name does."""
        scheme, _, rest = text.partition(" ")
        kept = f"{scheme} " if rest and scheme.lower() in {"basic", "bearer"} else ""
        secret = secret_name(f"{self.endpoint.get('name').text()} {name}")
        say = f"it looks like a secret; give it to agents as PILOTHOUSE_SECRET_{secret}"
        self.notes.add(value.line, what, say)
        return f"{kept}${{secret:{secret}}}"

    def _oauth2(self) -> ClientCredentials | None:
        found = self.client.get("oauth2")
        if found.value is None:
            return None
        secret = self._text(found.get("client-secret"), "client.oauth2.client-secret")
        if "${secret:" not in secret:
            line = found.get("client-secret")
            secret = self._secret(line, "client.oauth2.client-secret", secret, "client-secret")
        return ClientCredentials(
            token_url=self._text(found.get("token-url"), "client.oauth2.token-url"),
            client_id=self._text(found.get("client-id"), "client.oauth2.client-id"),
            client_secret=secret,
            scope=" ".join(one.text() for one in found.get("scopes").items()),
        )

    def _text(self, value: Lined, what: str) -> str:
        """A text of the file; variables of the environment become secrets of agents."""

        def variable(found: re.Match[str]) -> str:
            if found[1] is None:
                return "$"
            name = secret_name(found[1])
            self.notes.add(
                value.line, what, f"${found[1]} is read at agents, from PILOTHOUSE_SECRET_{name}"
            )
            return f"${{secret:{name}}}"

        return _VARIABLE.sub(variable, value.text())


def _expect(found: Lined, kind: str, notes: Notes) -> tuple[str, ...]:
    expressions: list[str] = []
    for one in found.items():
        try:
            expression = conditions.translated(one.text(), kind=kind)
        except conditions.NoCounterpart as error:
            notes.add(one.line, f"condition {one.text()!r}", str(error))
            continue
        if expression != conditions.IMPLIED:
            expressions.append(expression)
    return tuple(expressions)


def _judging(alerts: Lined, notes: Notes) -> Judging:
    """Thresholds of the first alert; who is told stands with the owner here."""
    listed = alerts.items()
    if not listed:
        return Judging()
    first = listed[0]
    kinds = ", ".join(one.get("type").text("custom") for one in listed)
    notes.add(alerts.line, "alerts", f"{kinds}: whoever answers for the entity is told instead")
    return Judging(
        down_after=min(max(first.get("failure-threshold").number(3), 1), 20),
        up_after=min(max(first.get("success-threshold").number(2), 1), 20),
    )


def _listed(windows: Lined, notes: Notes) -> tuple[Maintenance, ...]:
    return tuple(window for one in windows.items() for window in _windows(one, notes))


def _windows(window: Lined, notes: Notes) -> tuple[Maintenance, ...]:
    """A daily window, or one for each day of the week that it names."""
    if window.value is None or not window.get("enabled").true(default=True):
        return ()
    start, zone = window.get("start").text(), window.get("timezone").text("UTC")
    lasts = duration_of(window.get("duration"), notes, "maintenance.duration", "1h")
    if not re.fullmatch(r"[0-2]?[0-9]:[0-5][0-9]", start):
        notes.add(window.line, "maintenance.start", f"{start!r} is not a time of day; left out")
        return ()
    start = start.rjust(5, "0")
    days = [DAYS.index(one.text()) + 1 for one in window.get("every").items() if one.text() in DAYS]
    every, begins = ("1w", days) if days else ("1d", [1])
    return tuple(
        Maintenance(start=f"{MONDAY.format(day)}T{start}", lasts=lasts, every=every, time_zone=zone)
        for day in begins
    )
