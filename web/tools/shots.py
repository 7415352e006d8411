"""Screenshots of a running portal: `python web/tools/shots.py URL FOLDER [PATH …]`.

Every page at 1440 and 390 px, light and dark. Needs Chromium and playwright (the dev environment).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

PAGES = {
    "now": "/",
    "catalog": "/catalog",
    "problems": "/catalog/problems",
    "changes": "/catalog/changes",
    "sources": "/catalog/sources",
    "components": "/components",
}
WIDTHS = {"desktop": 1440, "phone": 390}
THEMES = {"light": "chart", "dark": "night"}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def main(url: str, folder: Path, paths: list[str]) -> None:
    """Take them all; more paths than the usual ones are named after themselves."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = PAGES | {path.strip("/").replace("/", "-").replace("?", "-"): path for path in paths}
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        sys.exit("Chromium is not installed: apt install chromium")
    with sync_playwright() as playwright:
        arguments = ["--disable-background-networking"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        for size, width in WIDTHS.items():
            for theme, name in THEMES.items():
                _shoot(browser, url, pages, folder, (size, width, theme, name))
        browser.close()


def _shoot(
    browser: Browser, url: str, pages: dict[str, str], folder: Path, look: tuple[str, int, str, str]
) -> None:
    size, width, theme, name = look
    context = browser.new_context(viewport={"width": width, "height": 900})
    context.add_cookies([{"name": "display", "value": f"{name}|UTC|on", "url": url}])
    tab = context.new_page()
    for page, path in pages.items():
        tab.goto(url + path)
        tab.screenshot(path=folder / f"{page}-{size}-{theme}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), Path(sys.argv[2]), sys.argv[3:])
