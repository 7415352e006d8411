"""TLS as probes use it: contexts that are kept, and what a server's certificate says."""

from __future__ import annotations

import ssl
import sys
import warnings
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib import import_module
from typing import Any

from pilothouse.checks.model.results import Certificate

MOST_NAMES = 100
LONGEST_NAME = 300
REMEMBERED = 512
MOST_CERTIFICATE = 65536  # bytes of one that is kept in mind


@lru_cache(maxsize=16)
def context(verify: bool, alpn: tuple[str, ...]) -> ssl.SSLContext:
    """How to encrypt; without resumption, so that each visit makes a whole handshake."""
    # Reading the system's authorities takes longer than many handshakes.
    made = ssl.create_default_context() if verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.options |= ssl.OP_NO_TICKET
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is not verified may also be old
            made.minimum_version = ssl.TLSVersion.TLSv1
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made


def warm(alpn: tuple[str, ...], *, verify: bool) -> None:
    """Have ready what the first handshake would else wait for, and be measured with."""
    context(verify, alpn)
    if not verify:
        import_module("cryptography.x509")


def said(error: ssl.SSLCertVerificationError, host: str) -> str:
    """Why a certificate was not accepted."""
    message = (error.verify_message or str(error)).rstrip(".")
    return f"the certificate of {host} is not accepted: {message}"


def facts(sock: ssl.SSLObject | ssl.SSLSocket, *, verify: bool = True) -> Certificate | None:
    """What the certificate of the other side says."""
    raw = sock.getpeercert(binary_form=True)
    if not raw:
        return None
    version = sock.version() or ""
    if len(raw) > MOST_CERTIFICATE or not verify:
        return _remembered(raw, version) if len(raw) <= MOST_CERTIFICATE else _read(raw, version)
    known = _known.get((raw, version))
    if known is None:
        known = _certificate(sock.getpeercert() or {}, version)
        if len(_known) >= REMEMBERED:
            _known.clear()
        _known[raw, version] = known
    return known


_known: dict[tuple[bytes, str], Certificate] = {}


def _certificate(found: Any, version: str) -> Certificate:
    names = tuple(sys.intern(value[:LONGEST_NAME]) for _, value in found.get("subjectAltName", ()))
    at = datetime.fromtimestamp(ssl.cert_time_to_seconds(found["notAfter"]), UTC)
    return Certificate(
        subject=_name(found.get("subject", ())),
        issuer=_name(found.get("issuer", ())),
        expires_at=_written(at),
        names=names[:MOST_NAMES],
        version=version,
    )


def _name(parts: Any) -> str:
    """A distinguished name as one text: its common name, else all of it."""
    pairs = [pair for part in parts for pair in part]
    common = [value for key, value in pairs if key == "commonName"]
    return (common[0] if common else ", ".join(value for _, value in pairs))[:LONGEST_NAME]


def _written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=REMEMBERED)
def _remembered(raw: bytes, version: str) -> Certificate | None:
    return _read(raw, version)


def _read(raw: bytes, version: str) -> Certificate | None:
    """A certificate that was not verified: Python's ssl tells nothing of these."""
    from cryptography import x509

    try:
        found = x509.load_der_x509_certificate(raw)
        names = _alternatives(found, x509)
        return Certificate(
            subject=_common(found.subject, x509),
            issuer=_common(found.issuer, x509),
            expires_at=_written(found.not_valid_after_utc),
            names=names,
            version=version,
        )
    except ValueError:
        return None


def _common(name: Any, x509: Any) -> str:
    common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(common[0].value if common else name.rfc4514_string())[:LONGEST_NAME]


def _alternatives(found: Any, x509: Any) -> tuple[str, ...]:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return ()
    return tuple(str(name.value)[:LONGEST_NAME] for name in list(names)[:MOST_NAMES])


def values(found: Certificate | None, cipher: str, now: datetime) -> dict[str, Any] | None:
    """What assertions see as `tls`."""
    if found is None:
        return None
    expires = datetime.fromisoformat(found.expires_at)
    return {
        "expires_in": max(expires - now, timedelta(days=-36500)),
        "subject": found.subject,
        "issuer": found.issuer,
        "names": list(found.names),
        "version": found.version,
        "cipher": cipher,
    }
