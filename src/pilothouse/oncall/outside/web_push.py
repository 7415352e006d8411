"""Push messages to browsers: RFC 8030, encrypted by RFC 8291, ourselves named by RFC 8292."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from pilothouse.kernel import clock
from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.outside import providers as asking
from pilothouse.oncall.rules import answers, contacts, links

if TYPE_CHECKING:
    from pilothouse.oncall.model.methods import Answer, Message, Method
    from pilothouse.oncall.outside.providers import Providers

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
RECORD = 4096
LONGEST = 2000  # bytes of text
TTL = 4 * 3600  # seconds that a push service keeps it for a browser that is away
NAMED_FOR = 12 * 3600  # seconds that one token of ours is good for
GONE = frozenset({404, 410})


def send(method: Method, message: Message, providers: Providers) -> Answer:
    """Hand a message to the browser's push service once."""
    try:
        to = contacts.pushed(method.address)
        body = encrypted(_body(message), _bytes(to.keys.p256dh), _bytes(to.keys.auth))
    except (Invalid, ValueError) as error:
        return answers.hopeless(f"that is no subscription: {error}")
    topic = base64.urlsafe_b64encode(hashlib.sha256(message.dedup_key.encode()).digest()[:24])
    asked = asking.Asking(
        url=to.endpoint,
        headers={
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(TTL),
            "Urgency": "high" if message.urgency == "high" else "normal",
            "Topic": topic.decode(),
            "Authorization": _named(to.endpoint, providers),
        },
        body=body,
        trusted=providers.trusted,
        seconds=providers.seconds,
        secrets=(method.address, to.endpoint),
    )
    reply = asking.post(asked)
    if getattr(reply, "status", 0) in GONE:
        return answers.hopeless("the browser does not want messages any more", reply.status)
    return asking.judged(reply)


def _body(message: Message) -> bytes:
    said = {
        "title": message.title[:200],
        "body": message.body.encode()[:LONGEST].decode(errors="ignore"),
        "url": message.acknowledge_url or message.url,
        "tag": message.dedup_key,
    }
    return msgspec.json.encode(said)


def encrypted(text: bytes, to: bytes, auth: bytes, *, own: Any = None, salt: bytes = b"") -> bytes:
    """A message that only one browser reads (RFC 8291, section 3.4). Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    curve = ec.SECP256R1()
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(curve, to)
    mine = own or ec.generate_private_key(curve)
    public, salt = _point(mine.public_key()), salt or os.urandom(16)
    shared = mine.exchange(ec.ECDH(), theirs)
    secret = _hkdf(auth, shared, b"WebPush: info\0" + to + public, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, text + b"\x02", None)
    return salt + RECORD.to_bytes(4, "big") + bytes((len(public),)) + public + sealed


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), length, salt, info).derive(secret)


def _point(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@lru_cache(maxsize=2)
def _ours(key: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(links.push_scalar(key, ORDER), ec.SECP256R1())


def public_key(key: str) -> str:
    """What browsers know us by (applicationServerKey)."""
    return _text(_point(_ours(key).public_key()))


def _named(endpoint: str, providers: Providers) -> str:
    """Who sends it, signed (RFC 8292, section 3)."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(clock.now().timestamp()) + NAMED_FOR,
        "sub": providers.home,
    }
    head = {"typ": "JWT", "alg": "ES256"}
    said = ".".join(_text(msgspec.json.encode(part)) for part in (head, claims))
    signed = _ours(providers.key).sign(said.encode(), ec.ECDSA(SHA256()))
    r, s = decode_dss_signature(signed)
    sign = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"vapid t={said}.{_text(sign)}, k={public_key(providers.key)}"


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
