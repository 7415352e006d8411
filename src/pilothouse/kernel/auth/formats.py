"""Secrets in the forms they are kept in: digests, hashes of passwords, encrypted tokens."""

from __future__ import annotations

import hashlib
import secrets
import threading
from functools import cache
from typing import Any

from pilothouse.kernel.auth.model import TOKEN_MARK

REFRESH_TOKENS = "pilothouse refresh tokens"
HINT = 9  # characters of a token by which people tell theirs apart
_AT_ONCE = threading.BoundedSemaphore(2)  # each hash takes 64 MiB while it is worked out


def new_secret() -> str:
    """256 bits of chance, in 43 characters that are safe in a cookie and a header."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """An API token."""
    return TOKEN_MARK + new_secret()


def digest(secret: str) -> str:
    """What is kept of a secret of 256 random bits: nothing leads back from it."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()  # argon2id, RFC 9106's second recommendation: 3 passes, 64 MiB


@cache
def _nobodys() -> str:
    return _hasher().hash(new_secret())


def hashed(password: str) -> str:
    """The hash of a password that is kept."""
    with _AT_ONCE:
        return _hasher().hash(password)


def fits(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was kept; takes as long where none was."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            return _hasher().verify(kept or _nobodys(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def sealed(key: str, text: str, purpose: str = REFRESH_TOKENS) -> str:
    """A text encrypted so that nobody without `key` reads or changes it (JWE, AES-256-GCM).

    What was sealed for one purpose does not open for another.
    """
    from joserfc import jwe

    head = {"alg": "dir", "enc": "A256GCM"}
    return jwe.encrypt_compact(head, text.encode(), _key(key, purpose))


def opened(key: str, text: str, purpose: str = REFRESH_TOKENS) -> str | None:
    """What was encrypted; None when another key, or for another purpose, did it."""
    from joserfc import jwe
    from joserfc.errors import JoseError

    try:
        found = jwe.decrypt_compact(text, _key(key, purpose), algorithms=["dir", "A256GCM"])
    except (JoseError, ValueError):
        return None
    return found.plaintext.decode() if found.plaintext else None


def _key(secret: str, purpose: str) -> Any:
    from joserfc.jwk import OctKey

    return OctKey.import_key(hashlib.sha256(purpose.encode() + secret.encode()).digest())
