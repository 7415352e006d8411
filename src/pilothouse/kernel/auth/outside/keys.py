"""The secret key: a setting, or a file that only we can read, made when first needed."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from pilothouse.kernel.auth.formats import new_secret
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.settings import Settings

FILE = "secret_key"
SHORTEST = 32


def secret_key(settings: Settings) -> str:
    """The key that refresh tokens are encrypted with.

    It is in no backup and no copy: without it those of a stolen database are worth nothing.
    Raises Invalid for one that is too short, or whose file others can read.
    """
    if settings.secret_key is not None:
        return _checked(settings.secret_key, "the setting secret_key")
    path = Path(settings.data) / FILE
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret())
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Invalid(f"others can read {path}: chmod 600 {path}")
        return _checked(path.read_text().strip(), str(path))
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}") from error


def _checked(key: str, where: str) -> str:
    if len(key) < SHORTEST:
        raise Invalid(f"{where} is too short: it has at least {SHORTEST} characters of chance")
    return key
