"""Brings the locked environment into `.venv`.

Without an argument what the program needs, with `--dev` what the tests need too; `--uv` only says
where uv is, bringing it if need be. Standard library only. The lock says what, by hash; the user's
own uv or pip configuration says from where (docs/decisions/0002-locked-environment.md). What is
installed already is not removed.
"""

# ruff: noqa: S603, T201  a program, not a package; its commands are its own; it prints

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST_UV = (0, 5)
ENVIRONMENT = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
OUR_UV = VENV / "uv" / "bin" / "uv"
OUR_CACHE = VENV / "uv" / "cache"  # emptied after use: a user without uv has no use for its cache
VENV_PACKAGES = {
    "debian": "apt install python3-venv",
    "ubuntu": "apt install python3-venv",
    "fedora": "dnf install python3 python3-pip",
    "rhel": "dnf install python3.12 python3.12-pip",
    "suse": "zypper install python3 python3-pip",
    "alpine": "apk add python3 py3-pip",
}


class BringError(Exception):
    """The environment cannot be brought; the message says what to do."""


def main(arguments: list[str]) -> int:
    VENV.mkdir(exist_ok=True)
    try:
        with (VENV / ".bring.lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)  # two first starts at once: the second finds it done
            if "--uv" in arguments:
                print(find_uv())
            else:
                bring("dev" if "--dev" in arguments else "run")
    except BringError as error:
        print(f"pilothouse: {error}", file=sys.stderr)
        return 1
    return 0


def bring(part: str) -> None:
    wanted = f"{ROOT}\n{fingerprint(part)}\n"
    stamp = VENV / f".pilothouse-{part}"
    if PYTHON.exists() and read(stamp) == wanted:
        stamp.touch()  # newer than files that were only touched, which is what the wrapper looks at
        return
    said = "up to date" if PYTHON.exists() else "(first time only)"
    print(f"Bringing the environment {said}…", file=sys.stderr, flush=True)
    made_for = {read(VENV / f".pilothouse-{name}").partition("\n")[0] for name in (part, "run")}
    moved = not made_for <= {"", str(ROOT)}  # scripts name the folder they were installed for
    install(find_uv(), part, reinstall=moved or not PYTHON.exists())
    shutil.rmtree(OUR_CACHE, ignore_errors=True)
    (VENV / ".pilothouse-run").write_text(f"{ROOT}\n{fingerprint('run')}\n")
    stamp.write_text(wanted)


def install(uv: str, part: str, *, reinstall: bool) -> None:
    if not PYTHON.exists() or not (VENV / "pyvenv.cfg").exists():
        run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(VENV))
    pip = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    again = ["--reinstall"] if reinstall else []
    run(*pip, *again, "--require-hashes", "-r", str(ROOT / "lock" / f"{part}.lock"))
    # What builds the package (hatchling, and node for the web sources) is in the tests' lock.
    build = ["--build-constraint", str(ROOT / "lock" / "dev.lock")]
    run(*pip, *build, "--no-deps", "--editable", str(ROOT))


def fingerprint(part: str) -> str:
    digest = hashlib.sha256()
    for path in sources(part):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sources(part: str) -> list[Path]:
    web = [path for path in (ROOT / "web").rglob("*") if path.is_file()]
    kept = [path for path in web if not {"node_modules", "__pycache__"} & set(path.parts)]
    return sorted([ROOT / "pyproject.toml", ROOT / "lock" / f"{part}.lock", *kept])


def find_uv() -> str:
    theirs = shutil.which("uv")
    if theirs and uv_version(theirs) >= OLDEST_UV:
        return theirs
    ENVIRONMENT.setdefault("UV_CACHE_DIR", str(OUR_CACHE))
    if uv_version(str(OUR_UV)) < OLDEST_UV:
        bring_uv(OUR_UV.parent.parent)
    return str(OUR_UV)


def uv_version(uv: str) -> tuple[int, ...]:
    """Major and minor; nothing when it does not run, as a version manager's empty shim does not."""
    try:
        said = subprocess.check_output([uv, "--version"], text=True, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return tuple(int(part) for part in said.split()[1].split(".")[:2])


def bring_uv(folder: Path) -> None:
    """Uv in an environment of its own inside `.venv`, by the pip that comes with Python."""
    try:
        import ensurepip  # noqa: F401  Debian leaves it out
        import venv
    except ImportError as error:
        raise BringError(
            f"this Python ({sys.executable}) cannot make an environment. {venv_package()}, "
            "or install uv; then run the same command again."
        ) from error
    venv.create(folder, clear=True, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    run(*pip, "--require-hashes", "-r", str(ROOT / "lock" / "installer.lock"))


def venv_package() -> str:
    pairs = [line.partition("=") for line in read(Path("/etc/os-release")).splitlines()]
    release = {name: value.strip('"') for name, _, value in pairs}
    families = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    commands = [VENV_PACKAGES[family] for family in families if family in VENV_PACKAGES]
    return f"Run: {commands[0]}" if commands else "Install Python's venv and pip from your system"


def run(*command: str) -> None:
    if subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, check=False).returncode:
        raise BringError("the environment is not complete (see above); run it again to go on.")


def read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
