"""Reading a definition from a file."""

from __future__ import annotations

from pathlib import Path

from pilothouse.kernel.errors import Invalid, NotFound

MOST_BYTES = 60_000_000


def read(path: Path) -> str:
    """The text of a file. Raises NotFound or Invalid, naming it."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"{path}: there is no such file") from error
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise Invalid(f"{path} has more than the {MOST_BYTES:,} bytes that are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} is not UTF-8 text") from error
