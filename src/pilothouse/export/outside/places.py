"""Where copies are kept: a folder, or a bucket that speaks S3."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from pilothouse.export.outside.folder import Folder

BUCKET = "s3://"


class Place(Protocol):
    """Where a copy is kept. Files appear whole; names are paths with "/"."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, data: bytes) -> None: ...

    def missing(self, names: Iterable[str], *, thorough: bool) -> set[str]: ...

    def remove(self, names: Iterable[str]) -> None: ...

    def settle(self) -> None: ...

    def close(self) -> None: ...


def open_place(where: str, endpoint: str | None = None) -> Place:
    """The place of a path or of `s3://bucket/prefix`.

    Raises Invalid when it cannot hold a copy, Conflict when another run has it.
    """
    if where.startswith(BUCKET):
        from pilothouse.export.outside.bucket import Bucket

        return Bucket(where, endpoint)
    return Folder(Path(where))
