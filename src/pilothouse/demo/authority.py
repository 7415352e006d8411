"""The company's own certificate authority: made anew at each start, with one certificate."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.demo.model import AUTHORITIES, GATEWAY

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey as PrivateKey
    from cryptography.x509 import Certificate

GOOD_FOR = timedelta(days=90)
USES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
OURS, HOST = "Authority of the chandlery", "gateway.localhost"


def found(folder: Path) -> None:
    """Write what the gateway shows, and all authorities that the company's agents believe."""
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    authority, shown, key = _certificates()
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(folder / GATEWAY, secret + shown.public_bytes(Encoding.PEM))
    _write(folder / AUTHORITIES, _known() + authority.public_bytes(Encoding.PEM))


def _certificates() -> tuple[Certificate, Certificate, PrivateKey]:
    """The authority's, the gateway's, and the key of the latter; the authority's key is let go."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import NameOID

    root, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    now, issuer = datetime.now(UTC), x509.AuthorityKeyIdentifier

    def signed(name: str, key: ec.EllipticCurvePublicKey) -> Certificate:
        ca = name == OURS
        subject, by = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, OURS)
        )
        uses = dict.fromkeys(USES, False) | {"key_cert_sign" if ca else "digital_signature": True}
        made = x509.CertificateBuilder(by, subject, key, x509.random_serial_number())
        made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + GOOD_FOR)
        for extension, critical in (
            (x509.BasicConstraints(ca=ca, path_length=None), True),
            (x509.KeyUsage(**uses), True),
            (x509.SubjectKeyIdentifier.from_public_key(key), False),
            (issuer.from_issuer_public_key(root.public_key()), False),
            (x509.SubjectAlternativeName([x509.DNSName(HOST)]), False),
        ):
            if not ca or not isinstance(extension, x509.SubjectAlternativeName):
                made = made.add_extension(extension, critical)
        return made.sign(root, SHA256())

    return signed(OURS, root.public_key()), signed(HOST, own.public_key()), own


def _known() -> bytes:
    """The authorities of this system, where they are one file: SSL_CERT_FILE takes its place."""
    file = ssl.get_default_verify_paths().cafile
    return Path(file).read_bytes() + b"\n" if file else b""


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
