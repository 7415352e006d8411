"""Contrast of every pair of colours that meet on a page, light and dark, read from the tokens.

Exit 1 when a pair falls short of WCAG 2.2: 4.5 for text (7 for the main text), 3 for marks and the
borders of controls. axe does not measure text in SVG, or colours that no page happens to show.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOKENS = Path(__file__).parent.parent / "css" / "tokens.css"
TOKEN = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")

MAIN, TEXT, MARK = 7.0, 4.5, 3.0
GROUNDS = ("base-100", "base-200")
# what is drawn, on what, how much is needed
NEEDS: list[tuple[str, tuple[str, ...], float]] = [
    ("base-content", (*GROUNDS, "base-300", "info-bg", "bad-bg", "warn-bg", "ok-bg"), MAIN),
    ("base-content", ("found-bg",), TEXT),
    ("ink-2", (*GROUNDS,), MAIN),
    ("ink-2", ("base-300", "info-bg", "bad-bg"), TEXT),
    ("ink-3", (*GROUNDS, "base-300", "info-bg", "warn-bg"), TEXT),
    ("primary", (*GROUNDS, "base-300", "info-bg", "warn-bg", "bad-bg", "ok-bg"), TEXT),
    ("primary-content", ("primary",), TEXT),
    ("ok", (*GROUNDS, "ok-bg", "info-bg"), TEXT),
    ("warn", (*GROUNDS, "warn-bg", "info-bg"), TEXT),
    ("bad", (*GROUNDS, "bad-bg", "info-bg", "base-300"), TEXT),
    ("info", (*GROUNDS, "info-bg"), TEXT),
    ("bad-on", ("bad-solid",), TEXT),
    ("bad-solid", ("base-100",), MARK),
    ("edge", GROUNDS, MARK),
    ("mark-1", ("base-100",), MARK),
    ("mark-2", ("base-100",), MARK),
    ("mark-3", ("base-100",), MARK),
    ("mark-warn", ("base-100", "warn-bg"), MARK),
]


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def main() -> int:
    """Print the table; how many pairs fall short, as an exit code."""
    tokens = {name: (light, dark) for name, light, dark in TOKEN.findall(TOKENS.read_text())}
    short = 0
    for drawn, grounds, need in NEEDS:
        for ground in grounds:
            light, dark = map(ratio, tokens[drawn], tokens[ground])
            fails = min(light, dark) < need
            short += fails
            line = f"{drawn:16} on {ground:10} light {light:5.1f}  dark {dark:5.1f}  needs {need}"
            sys.stdout.write(f"{line}{'  TOO LOW' if fails else ''}\n")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
