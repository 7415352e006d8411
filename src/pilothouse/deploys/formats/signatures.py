"""Whether a message comes from whom it says it does; compared in constant time."""

from __future__ import annotations

import hashlib
import hmac


def github_signature(secret: str, body: bytes) -> str:
    """What `X-Hub-Signature-256` holds for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, said: str) -> bool:
    """Whether the header `X-Hub-Signature-256` is that of this body."""
    return hmac.compare_digest(github_signature(secret, body).encode(), said.strip().encode())


def is_token(token: str, said: str) -> bool:
    """Whether the header `X-Gitlab-Token` is the token that was agreed on."""
    return hmac.compare_digest(token.encode(), said.encode())
