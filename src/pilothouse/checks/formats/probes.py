"""Modules of blackbox_exporter as types of checks and what they expect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from pilothouse.checks.formats.imported import Notes, quoted, record_of, secret_name
from pilothouse.checks.formats.lined import Lined
from pilothouse.checks.model.documents import (
    Basic,
    ClientCredentials,
    Dns,
    Grpc,
    Http,
    Icmp,
    Smtp,
    Tcp,
    Tls,
)

FOLLOWED = 5  # redirects; the exporter follows ten
HTTP = frozenset(
    (
        *("valid_status_codes", "valid_http_versions", "method", "headers", "body", "enable_http2"),
        *("no_follow_redirects", "follow_redirects", "fail_if_ssl", "fail_if_not_ssl"),
        *("fail_if_body_matches_regexp", "fail_if_body_not_matches_regexp"),
        *("fail_if_header_matches", "fail_if_header_not_matches", "tls_config", "basic_auth"),
        *("bearer_token", "oauth2", "authorization"),
        *("preferred_ip_protocol", "ip_protocol_fallback"),
    )
)
IP = frozenset({"preferred_ip_protocol", "ip_protocol_fallback"})
NO_FILES = "agents read no such file"


class Made(msgspec.Struct, frozen=True):
    """A type of check, its part of the document, and its assertions."""

    type: str
    part: Any
    expect: tuple[str, ...] = ()


def made(module: Lined, address: str, notes: Notes) -> Made | None:
    """What the module asks of an address; None for a prober that has no counterpart."""
    prober = module.get("prober").text()
    makers: dict[str, Callable[[Lined, str, Notes], Made]] = {
        "http": _http,
        "tcp": _tcp,
        "dns": _dns,
        "icmp": _icmp,
        "grpc": _grpc,
    }
    if prober not in makers:
        notes.add(module.line, f"prober {prober!r}", "it is not known here; left out")
        return None
    return makers[prober](module.get(prober), address, notes)


def _http(part: Lined, address: str, notes: Notes) -> Made:
    url = address if "://" in address else f"http://{address}"
    _leave(part, HTTP, notes)
    tls = part.get("tls_config")
    _leave(tls, {"insecure_skip_verify"}, notes.about("tls_config"))
    part_made = Http(
        url=url,
        method=part.get("method").text("GET").upper(),
        headers=_headers(part, notes),
        body=part.get("body").text(),
        follow_redirects=FOLLOWED if _follows(part) else 0,
        verify=not tls.get("insecure_skip_verify").true(),
        ip=_ip(part),
        version="1.1" if not part.get("enable_http2").true(default=True) else "any",
        basic=_basic(part.get("basic_auth"), notes),
        bearer=_bearer(part, notes),
        oauth2=_oauth2(part.get("oauth2"), notes),
    )
    return Made("http", part_made, (*_statuses(part), *_bodies(part), *_fields(part, url, notes)))


def _follows(part: Lined) -> bool:
    kept = part.get("follow_redirects").true(default=True)
    return kept and not part.get("no_follow_redirects").true()


def _statuses(part: Lined) -> list[str]:
    codes = [one.number() for one in part.get("valid_status_codes").items()]
    if not codes:
        found = ["status >= 200 && status < 300"]
    elif len(codes) == 1:
        found = [f"status == {codes[0]}"]
    else:
        found = [f"status in [{', '.join(map(str, codes))}]"]
    versions = [quoted(one.text()) for one in part.get("valid_http_versions").items()]
    return [*found, f"protocol in [{', '.join(versions)}]"] if versions else found


def _bodies(part: Lined) -> list[str]:
    refused = part.get("fail_if_body_matches_regexp").items()
    wanted = part.get("fail_if_body_not_matches_regexp").items()
    return [f"!body.matches({quoted(one.text())})" for one in refused] + [
        f"body.matches({quoted(one.text())})" for one in wanted
    ]


def _fields(part: Lined, url: str, notes: Notes) -> list[str]:
    """What headers and encryption must be like."""
    found: list[str] = []
    for key, wanted in (("fail_if_header_matches", False), ("fail_if_header_not_matches", True)):
        for one in part.get(key).items():
            name = quoted(one.get("header").text().lower())
            matched = f"header[{name}].matches({quoted(one.get('regexp').text())})"
            missing = one.get("allow_missing").true()
            test = matched if wanted else f"!{matched}"
            found.append(f"!({name} in header) || {test}" if missing or not wanted else test)
    encrypted = url.lower().startswith("https://")
    for key, wanted in (("fail_if_ssl", False), ("fail_if_not_ssl", True)):
        if part.get(key).true() and encrypted != wanted:
            why = f"{url} is {'' if encrypted else 'not '}encrypted, and may be redirected"
            notes.add(part.get(key).line, key, why)
    return found


def _tcp(part: Lined, address: str, notes: Notes) -> Made:
    host, port = _address(address, 80, notes, part.line)
    talk = part.get("query_response").items()
    _leave(part, {"query_response", "tls", "tls_config", *IP}, notes)
    if any(one.get("starttls").true() for one in talk):
        why = "read as a conversation with an SMTP server, which is said in our own words"
        notes.add(part.get("query_response").line, "query_response with starttls", why)
        return Made("smtp", Smtp(host=host, port=port, tls="starttls", ip=_ip(part)))
    if part.get("tls").true():
        if talk:
            why = "nothing is said inside of an encrypted connection here"
            notes.add(part.get("query_response").line, "query_response", why)
        tls = part.get("tls_config")
        _leave(tls, {"server_name"}, notes.about("tls_config"))
        name = tls.get("server_name").text()
        return Made("tls", Tls(host=host, port=port, server_name=name, ip=_ip(part)))
    return _spoken(talk, Tcp(host=host, port=port, ip=_ip(part)), notes)


def _spoken(talk: Sequence[Lined], tcp: Tcp, notes: Notes) -> Made:
    """The first thing said and the first thing expected."""
    sends = [one for one in talk if one.has("send")]
    expects = [one for one in talk if one.has("expect")]
    for one in [*sends[1:], *expects[1:]]:
        notes.add(one.line, "query_response", "a check sends once and reads once; left out")
    sent = sends[0].get("send").text() + "\n" if sends else ""
    part = msgspec.structs.replace(tcp, send=sent, read=bool(expects))
    expect = tuple(f"body.matches({quoted(one.get('expect').text())})" for one in expects[:1])
    return Made("tcp", part, expect)


def _dns(part: Lined, address: str, notes: Notes) -> Made:
    known = {"query_name", "query_type", "valid_rcodes", "transport_protocol", *IP}
    _leave(part, known, notes)
    record = record_of(part.get("query_type"), notes, "query_type")
    codes = [one.text() for one in part.get("valid_rcodes").items()] or ["NOERROR"]
    protocol = "tcp" if part.get("transport_protocol").text() == "tcp" else "udp"
    name = part.get("query_name").text().rstrip(".")
    question = Dns(name=name, record=record, resolver=address, protocol=protocol)
    one = f"rcode == {quoted(codes[0])}"
    several = f"rcode in [{', '.join(map(quoted, codes))}]"
    return Made("dns", question, (one if len(codes) == 1 else several,))


def _icmp(part: Lined, address: str, notes: Notes) -> Made:
    _leave(part, IP, notes)
    return Made("icmp", Icmp(host=address, count=1, ip=_ip(part)))


def _grpc(part: Lined, address: str, notes: Notes) -> Made:
    _leave(part, {"service", "tls", "tls_config", *IP}, notes)
    tls = part.get("tls").true()
    host, port = _address(address, 443 if tls else 80, notes, part.line)
    service = part.get("service").text()
    return Made("grpc", Grpc(host=host, port=port, service=service, tls=tls, ip=_ip(part)))


def _leave(part: Lined, known: set[str] | frozenset[str], notes: Notes) -> None:
    for key, value in part.pairs():
        if key not in known:
            why = NO_FILES if key.endswith("_file") else "there is no counterpart"
            notes.add(value.line, key, why)


def _address(address: str, port: int, notes: Notes, line: int) -> tuple[str, int]:
    host, _, given = address.rpartition(":")
    if not host or given.endswith("]"):
        return address.strip("[]"), port
    if not given.isdecimal() or not 0 < int(given[:6]) < 65536:  # noqa: PLR2004  ports end there
        notes.add(line, address, f"{given!r} is not a port; {port} is written")
        return host.strip("[]"), port
    return host.strip("[]"), int(given)


def _ip(part: Lined) -> Any:
    """A protocol only where the exporter would not fall back to the other one."""
    if part.get("ip_protocol_fallback").true(default=True):
        return "any"
    return 4 if part.get("preferred_ip_protocol").text() == "ip4" else 6


def _headers(part: Lined, notes: Notes) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in part.get("headers").pairs():
        text = value.text()
        if name.lower() in {"authorization", "cookie"}:
            text = _secret(value, f"headers.{name}", name, notes)
        found[name.lower()] = text
    given = part.get("authorization")
    if given.value is not None:
        secret = _secret(given, "authorization", "authorization", notes)
        found["authorization"] = f"{given.get('type').text('Bearer')} {secret}"
    return found


def _secret(value: Lined, what: str, name: str, notes: Notes) -> str:
    """A secret does not go into a document: its name does."""
    secret = secret_name(f"blackbox {name}")
    why = f"it is a secret; give it to agents as PILOTHOUSE_SECRET_{secret}"
    notes.add(value.line, what, why)
    return f"${{secret:{secret}}}"


def _basic(given: Lined, notes: Notes) -> Basic | None:
    if given.value is None:
        return None
    password = given.get("password")
    secret = _secret(password, "basic_auth.password", given.get("username").text(), notes)
    return Basic(username=given.get("username").text(), password=secret)


def _bearer(part: Lined, notes: Notes) -> str:
    given = part.get("bearer_token")
    return "" if given.value is None else _secret(given, "bearer_token", "bearer token", notes)


def _oauth2(given: Lined, notes: Notes) -> ClientCredentials | None:
    if given.value is None:
        return None
    name = given.get("client_id").text()
    return ClientCredentials(
        token_url=given.get("token_url").text(),
        client_id=name,
        client_secret=_secret(given, "oauth2.client_secret", name, notes),
        scope=" ".join(one.text() for one in given.get("scopes").items()),
    )
