"""One program plays twelve places."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from pilothouse.agent import resolving
from pilothouse.agent.resolving import UnknownName
from pilothouse.demo import running
from pilothouse.demo.model import LATER, LISTENING, PLACES, Company, address_of
from pilothouse.demo.running import FILES, MARK, PORT


async def looked_up(here: dict[str, tuple[str, ...]], name: str) -> list[str]:
    resolving.HERE.set(here)
    await asyncio.sleep(0)
    return await resolving.lookup(name, (4,))


def test_a_name_means_another_address_to_each_task() -> None:
    async def both() -> list[list[str]]:
        asked = (looked_up({"shop.localhost": (f"127.0.1.{n}",)}, "shop.localhost") for n in (1, 2))
        return await asyncio.gather(*asked)

    assert asyncio.run(both()) == [["127.0.1.1"], ["127.0.1.2"]]


def test_a_name_under_localhost_is_this_machine() -> None:
    assert asyncio.run(looked_up({}, "shop.localhost")) == ["127.0.0.1"]
    with pytest.raises(UnknownName):
        asyncio.run(looked_up({"shop.localhost": ("::1",)}, "shop.localhost"))


def test_regions_have_places_enough_that_each_is_seen_alone() -> None:
    assert len({address_of(place) for place in PLACES}) == len(PLACES) == 12
    for region in ("eu", "us", "ap"):
        names = [place.name for place in PLACES if place.region == region]
        assert len(names) >= 3
        assert all(name.startswith(f"{region}-") for name in names)


def test_every_address_that_the_companys_files_name_is_one_of_its_programs() -> None:
    company = Company(folder="", portal="", ports=dict.fromkeys(LISTENING, 1))
    for file in FILES.rglob("*"):
        if file.is_file():
            for mark in MARK.findall(file.read_text()):
                assert mark.removesuffix(PORT) in company.ports, (file, mark)


def test_the_companys_own_catalog_has_no_problems(tmp_path: Path) -> None:
    with running.folder_of_our_own(tmp_path / "demo") as folder, running.doors() as doors:
        running.found(folder, "http://127.0.0.1:9", doors)
        for later in (folder / "company").glob(f"*{LATER}"):
            later.rename(later.with_suffix(""))
        lint = ["-m", "pilothouse.cli", "lint", str(folder / "company"), "--strict"]
        done = subprocess.run([sys.executable, *lint], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
