"""What operators copy is well formed, and names only what exists."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.kernel.settings import Settings

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "pilothouse.service"
CONTAINERFILE = ROOT / "deploy" / "Containerfile"
EXPOSURE = 20  # systemd's own scale: 0 is a program that can do nothing, 100 one that can do all


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def systemd_analyze():
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd is not installed: apt install systemd")
    return found


def test_hadolint_finds_nothing_in_the_containerfile():
    checked = run(Path(sys.executable).with_name("hadolint"), CONTAINERFILE)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_image_copies_what_exists():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text(), re.MULTILINE)
    sources = [ROOT / name for line in copied for name in line.split()]
    assert len(sources) >= 5
    assert [source for source in sources if not source.exists()] == []


def test_the_image_is_not_run_by_root_and_says_whether_it_is_well():
    final = CONTAINERFILE.read_text().rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)$", final, re.MULTILINE) == ["10001"]
    assert "/healthz" in final.partition("\nHEALTHCHECK ")[2]


def test_systemd_accepts_the_unit(systemd_analyze, tmp_path):
    """The program it starts is not installed here, so Python stands in for it."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/pilothouse/bin/pilothouse", sys.executable))
    checked = run(systemd_analyze, "verify", "--man=no", unit)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_unit_gives_the_program_little_to_break(systemd_analyze):
    offline = ("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager")
    checked = run(systemd_analyze, *offline, UNIT)
    assert checked.returncode == 0, checked.stdout[-2000:] + checked.stderr


@pytest.mark.parametrize("file", [UNIT, CONTAINERFILE], ids=lambda file: file.name)
def test_every_setting_that_is_named_exists(file):
    named = set(re.findall(r"PILOTHOUSE_([A-Z_]+)", file.read_text()))
    assert named
    assert {name.lower() for name in named} <= set(Settings.__struct_fields__)
