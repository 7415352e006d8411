"""What docs give to the copy as plain files."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from tests.catalog.following import write
from tests.docs.reading_docs import CATALOG, MODULES, Docs, repository
from tests.kernel.portal import PAGE, serving

from pilothouse.docs.module import module as docs
from pilothouse.export.rules.names import address

if TYPE_CHECKING:
    from pathlib import Path


def ways(html: str) -> dict[str, str]:
    """Where "Previous" and "Next" of a list lead."""
    found = re.findall(r'<a href="([^"]*)" rel="(\w+)"', html)
    return {rel: unescape(href) for href, rel in found}


def test_every_part_of_a_long_list_is_in_the_copy(database_url: str, tmp_path: Path) -> None:
    source = repository(tmp_path / "source", {"docs/index.md": "# Pay\n"})
    for number in range(101):
        folder = f"more/{number:03}"
        named = CATALOG.split("---")[0].replace("name: payments", f"name: more-{number}")
        write(source, f"{folder}/catalog-info.yaml", named)
        write(source, f"{folder}/runbooks/stuck.md", "# Stuck\n")
        write(source, f"{folder}/docs/decisions/0001-x.md", "# X\n")
    with serving(database_url, MODULES, data=str(tmp_path / "data")) as portal:
        Docs(portal.program).read(source)
        with portal.program.db.read() as tx:
            found = list((docs.exported or list)(tx))
        copied = {address(path) for one in found for path in (one.path, *one.also)}
        for path in ("/docs", "/runbooks", "/rfcs", "/rfcs/timeline"):
            first = ways(portal.get(path, PAGE).text)
            second = ways(portal.get(first["next"], PAGE).text)
            assert {address(first["next"]), address(second["prev"])} <= copied, path
            assert "next" not in second
        more = [one.path for one in found if "?" in one.path]
        assert len(more) == len({address(path) for path in more}) == 4
        assert {portal.get(path, PAGE).status for path in more} == {200}
