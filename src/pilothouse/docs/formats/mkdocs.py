"""mkdocs.yml: its site_name, docs_dir and nav.

Source: MkDocs, "Configuration" and "Writing your docs", section "Configure pages and navigation".
"""

from __future__ import annotations

from typing import Any

from pilothouse.docs.formats import yaml
from pilothouse.docs.formats.yaml import text_of
from pilothouse.docs.model import Fault, MkDocs, NavEntry
from pilothouse.kernel.errors import Invalid

MOST_ENTRIES = 5000
MOST_DEPTH = 12
LONGEST_NOTE = 8  # names of ignored things that are told
CODE = "docs-mkdocs"


class _Nav:
    """One reading of a nav; anchors of YAML can make it hold itself."""

    def __init__(self) -> None:
        self.left = MOST_ENTRIES
        self.faults: dict[str, Fault] = {}

    def entries(self, items: Any, depth: int = 0) -> tuple[NavEntry, ...]:
        if not isinstance(items, list):
            self._fault("nav has something that is neither a page nor a list of pages")
            return ()
        if depth > MOST_DEPTH:
            self._fault(f"nav is more than {MOST_DEPTH} levels deep, or holds itself")
            return ()
        found: list[NavEntry] = []
        for item in items:
            pairs = list(item.items()) if isinstance(item, dict) else [("", item)]
            self.left -= max(len(pairs), 1)
            if self.left < 0:
                self._fault(f"nav has more than {MOST_ENTRIES:,} entries; the rest is left out")
                break
            found += [self._entry(text_of(title), value, depth) for title, value in pairs]
        return tuple(found)

    def _entry(self, title: str, value: Any, depth: int) -> NavEntry:
        if isinstance(value, list):
            return NavEntry(title, children=self.entries(value, depth + 1))
        target = text_of(value)
        if "://" in target:
            return NavEntry(title or target, url=target)
        return NavEntry(title, path=target)

    def _fault(self, message: str) -> None:
        self.faults.setdefault(message, Fault(CODE, message))


def read(text: str) -> MkDocs:
    """Read a mkdocs.yml; whatever of it cannot be used is told and left out."""
    try:
        values = yaml.load(text)
    except Invalid as error:
        why, line = str(error.args[0]), int(error.args[1])
        return MkDocs(faults=(Fault(CODE, f"mkdocs.yml is not YAML: {why}", line),))
    if not isinstance(values, dict):
        return MkDocs(faults=(Fault(CODE, "mkdocs.yml is no mapping of names to values"),))
    nav, faults = _Nav(), []
    entries = nav.entries(values["nav"]) if values.get("nav") is not None else ()
    docs_dir = text_of(values.get("docs_dir")).strip("/") or "docs"
    return MkDocs(
        site_name=text_of(values.get("site_name")),
        docs_dir=docs_dir,
        nav=entries,
        ignored=_names(values.get("plugins")),
        faults=(*faults, *nav.faults.values()),
    )


def _names(items: Any) -> tuple[str, ...]:
    """Plugins by name; techdocs-core only names what is done here anyway, search is ours."""
    if isinstance(items, dict):
        items = list(items)
    if not isinstance(items, list):
        return ()
    heads = (next(iter(item), "") if isinstance(item, dict) else item for item in items[:100])
    names = (text_of(head) for head in heads)
    return tuple(name for name in names if name and name not in ("techdocs-core", "search"))
