"""Which pictures are kept: by what they are, whatever they are called."""

from __future__ import annotations

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_RIFF, _WEBP, _WEBP_AT = b"RIFF", b"WEBP", 8


def kind_of(body: bytes) -> str:
    """The media type of a picture by its first bytes; "" for what is none that browsers show."""
    if body.startswith(_RIFF) and body[_WEBP_AT : _WEBP_AT + 4] == _WEBP:
        return "image/webp"
    return next((kind for begin, kind in _BEGINNINGS if body.startswith(begin)), "")
