"""`./pilothouse` from a checkout that has its environment: found, kept fresh, out of the way."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """#!{python}
import os, sys, time
print(os.getpid(), *sys.argv[1:], flush=True)
if "wait" in sys.argv:
    time.sleep(60)
"""
BRING = """#!/bin/sh
echo brought >&2
printf '%s\\n' "{checkout}" >"{checkout}/.venv/.pilothouse-run"
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout with spaces in its path; what would bring the environment only says so."""
    folder = tmp_path / "the check out"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("lock", "tools", "web"):
        (folder / name).mkdir()
    for name in ("lock/run.lock", "pyproject.toml", "web/page.css"):
        (folder / name).touch()
    shutil.copy2(ROOT / "pilothouse", folder)
    script(folder / ".venv" / "bin" / "pilothouse", PROGRAM.format(python=sys.executable))
    script(folder / "tools" / "environment", BRING.format(checkout=folder))
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".venv" / ".pilothouse-run").write_text(f"{folder}\n")
    return folder


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


def start(program, *arguments, cwd="/"):
    done = subprocess.run(
        [program, *arguments], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.split()[1:], done.stderr


def later(path):
    """Changed after the stamp was written, on a clock as coarse as a file system's."""
    os.utime(path, (path.stat().st_atime + 10, path.stat().st_mtime + 10))


def test_the_program_gets_its_arguments_and_nothing_is_brought(checkout):
    assert start(checkout / "pilothouse", "up", "two words") == (["up", "two", "words"], "")
    assert start("./pilothouse", "up", cwd=checkout) == (["up"], "")


def test_a_chain_of_links_leads_to_the_checkout(checkout, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "second").symlink_to(checkout / "pilothouse")
    (tmp_path / "bin" / "first").symlink_to("second")
    assert start("./first", "up", cwd=tmp_path / "bin") == (["up"], "")


@pytest.mark.parametrize("changed", ["lock/run.lock", "pyproject.toml", "web/page.css"])
def test_a_changed_source_brings_the_environment(checkout, changed):
    later(checkout / changed)
    assert start(checkout / "pilothouse", "up") == (["up"], "brought\n")


def test_a_moved_checkout_brings_the_environment(checkout):
    moved = checkout.rename(checkout.with_name("elsewhere"))
    script(moved / "tools" / "environment", BRING.format(checkout=moved))
    assert start(moved / "pilothouse", "up") == (["up"], "brought\n")
    assert start(moved / "pilothouse", "up") == (["up"], "")


def test_an_environment_whose_python_is_gone_is_brought(checkout):
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python")
    assert start(checkout / "pilothouse", "up") == (["up"], "brought\n")


def test_the_wrapper_becomes_the_program_so_signals_reach_it(checkout):
    with subprocess.Popen([checkout / "pilothouse", "wait"], stdout=subprocess.PIPE) as running:
        said = running.stdout.readline().split()
        running.terminate()
    assert int(said[0]) == running.pid
    assert running.returncode == -signal.SIGTERM


def test_a_python_that_is_too_old_is_named_with_what_to_do(tmp_path):
    script(tmp_path / "python3", '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    for needed in ("dirname", "sh"):
        (tmp_path / needed).symlink_to(shutil.which(needed))
    done = subprocess.run(
        [ROOT / "tools" / "environment"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; found Python 3.9.2" in done.stderr
