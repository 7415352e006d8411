"""axe-core, asked about a page in both themes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

SCRIPT = Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"
LIGHT, DARK = "chart", "night"
COLOURS = ["color-contrast", "link-in-text-block"]  # the rules that the other theme could break
DESK = 1000  # px of width
OPEN = "document.querySelectorAll('details').forEach(fold => { fold.open = true })"
RUN = """async chosen => {
  const found = await axe.run({ resultTypes: ['violations'], ...chosen })
  return found.violations.flatMap(one => one.nodes.map(node => `${one.id}: ${node.target}`))
}"""
DARKEN = "theme => { document.documentElement.dataset.theme = theme }"


def needed() -> None:
    """Skip the test where axe-core is not there."""
    if not SCRIPT.exists():
        pytest.skip("axe-core is not there: it comes with the editable install's web build")


def violations(tab: Page) -> list[str]:
    """What axe finds on the page with its folds open: all rules in light, those of colour in dark.

    A phone has no colours of its own, so it is not asked about them. The page must be shown in its
    light theme; its context bypasses its CSP, or it has none.
    """
    tab.evaluate(OPEN)
    tab.add_script_tag(path=SCRIPT)
    width = (tab.viewport_size or {}).get("width", DESK)
    wide = width >= DESK
    rest = {} if wide else {"rules": {rule: {"enabled": False} for rule in COLOURS}}
    found = [f"{tab.url} {width} {LIGHT}: {one}" for one in tab.evaluate(RUN, rest)]
    if not wide:
        return found
    tab.evaluate(DARKEN, DARK)
    dark = tab.evaluate(RUN, {"runOnly": {"type": "rule", "values": COLOURS}})
    return [*found, *(f"{tab.url} {width} {DARK}: {one}" for one in dark)]
