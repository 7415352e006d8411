"""Playwright's driver (Node and its program), where the user who walks can read it."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def reachable(path: Path) -> bool:
    """Whether everybody gets to it: each folder above it lets others through."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)


def placed(driver: Path, into: Path) -> Path:
    """The driver, or what it is linked to (else copied) below `into`, where others get to it.

    Made once for each version, by us alone. Raises OSError where that is not possible.
    """
    if reachable(driver):
        return driver
    about = driver / "package" / "package.json"
    mark = f"{driver.resolve()}\0{about.stat().st_mtime_ns}\0{about.stat().st_size}"
    place = into / f"pilothouse-driver-{hashlib.sha256(mark.encode()).hexdigest()[:16]}"
    if not place.exists():
        made = Path(tempfile.mkdtemp(prefix="pilothouse-driver-", dir=into))
        try:
            shutil.copytree(driver, made, copy_function=_linked, dirs_exist_ok=True)
            made.chmod(0o755)
            with suppress(FileExistsError, OSError):
                made.rename(place)  # somebody else may have been quicker
        finally:
            shutil.rmtree(made, ignore_errors=True)
    found = place.lstat()
    if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE or not place.is_dir():
        raise PermissionError(f"{place} is somebody else's")
    return place


def _linked(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # on another file system
        shutil.copy2(source, target)
    return target
