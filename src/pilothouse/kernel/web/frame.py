"""The page frame: every page is one template in it, and modules fill pages with panels."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import structlog
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    PackageLoader,
    PrefixLoader,
    StrictUndefined,
)
from litestar import Request, Response
from markupsafe import Markup
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from pilothouse import __version__
from pilothouse.kernel import clock, db, markup, words
from pilothouse.kernel.actors import SYSTEM, Actor
from pilothouse.kernel.assets import asset
from pilothouse.kernel.module import HEADINGS, Module, Panel, Subject, Watch
from pilothouse.kernel.tx import Database, Tx
from pilothouse.kernel.web.arriving import asked_of

log = structlog.get_logger("pilothouse.web")

THEMES = ("", "chart", "night")
COOKIE = "display"
DRAWN = "[drawn]"  # in the copy, until it is known whether the page says anything new


class Filled(msgspec.Struct, frozen=True):
    """A panel with its data; `failed` when it could not be loaded."""

    panel: Panel
    data: Any = None
    note: str = ""
    failed: str | None = None


class Display(msgspec.Struct, frozen=True):
    """How one reader wants pages; kept in a cookie, so that nothing flashes."""

    theme: str = ""
    zone: str = "UTC"
    keys: bool = True

    @property
    def tz(self) -> tzinfo:
        return zone_of(self.zone)


def zone_of(name: str) -> tzinfo:
    """The time zone of a name; UTC for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def display_of(request: Request[Any, Any, Any]) -> Display:
    """What the reader chose, from the cookie; whatever is not right there is left out."""
    theme, _, rest = request.cookies.get(COOKIE, "").partition("|")
    zone, _, keys = rest.partition("|")
    zone = getattr(zone_of(zone), "key", "UTC")
    return Display(theme if theme in THEMES else "", zone, keys != "off")


class Frame:
    """Renders pages; for the copy as plain files, those whose navigation is the `copied` pages."""

    def __init__(
        self,
        modules: Sequence[Module],
        copied: Container[str] | None = None,
        database: Database | None = None,
    ) -> None:
        self.copy = copied is not None
        self.database = database
        self.watches = [module.watch for module in modules if module.watch]
        self.environment = _environment(tuple(modules))
        self.panels = sorted(
            (panel for module in modules for panel in module.panels),
            key=lambda panel: panel.order,
        )
        self.more_tabs = sorted(
            (tab for module in modules for tab in module.tabs), key=lambda tab: tab.order
        )
        items = [
            item
            for module in modules
            for item in module.nav
            if copied is None or item.href in copied
        ]
        self.nav = [
            (heading, found)
            for heading in HEADINGS
            if (found := [item for item in items if item.heading == heading])
        ]

    def fill(self, tx: Tx, subject: Subject) -> list[Filled]:
        """Load every panel that applies. One that fails says so; the rest of the page stays."""
        filled: list[Filled] = []
        db.mark(tx.conn)
        for panel in self.panels:
            if not panel.applies(subject):
                continue
            try:
                data = panel.load(tx, subject)
            except Exception as error:
                if getattr(error, "connection_invalidated", False):
                    raise  # the database is away: no part of the page can be read
                number = clock.uuid7()[-8:]
                log.exception("web.panel_failed", panel=panel.name, mark=number)
                filled.append(Filled(panel, failed=f"{type(error).__name__}, log mark {number}"))
                db.come_back(tx.conn)
                continue
            if data is not None:
                filled.append(Filled(panel, data, panel.note(data)))
        return filled

    def tabs(self, tx: Tx, ref: str) -> list[tuple[str, str]]:
        """What modules add to the tabs of an entity: label and address of each."""
        return [(tab.label, href) for tab in self.more_tabs if (href := tab.href(tx, ref))]

    def page(
        self,
        request: Request[Any, Any, Any],
        template: str,
        *,
        title: str,
        status_code: int = 200,
        **context: Any,
    ) -> Response[str]:
        """Render a page as the answer to a request."""
        text = self.render(template, page=self._page(request, title), **context)
        return Response(text, status_code=status_code, media_type="text/html; charset=utf-8")

    def render(self, template: str, **context: Any) -> str:
        """Render a template that needs no request: a panel, an exported page."""
        return self.environment.get_template(template).render(**context)

    def _page(self, request: Request[Any, Any, Any], title: str) -> dict[str, Any]:
        display = display_of(request)
        actor: Actor = request.scope.get("user") or SYSTEM
        path = request.url.path
        return {
            "title": title,
            "copied": self.copy,
            "watch": self._watch(actor, path),
            "drawn": DRAWN,
            "nav": self.nav if actor.role else [],
            "path": path,
            "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "display": display,
            "theme": display.theme,
            "zone": display.zone,
            "tz": display.tz,
            "now": clock.now(),
            "version": __version__,
            "actor": actor,
            "person": asked_of(request.scope).person,
            "q": request.query_params.get("q", ""),
        }

    def _watch(self, actor: Actor, path: str) -> Watch | None:
        """What is broken, on every page but those that say so themselves; nothing in the copy."""
        if self.copy or self.database is None or not actor.role or path == "/":
            return None
        if not self.watches or path.startswith("/incidents"):
            return None
        try:
            with self.database.glance(actor) as tx:
                return next((found for watch in self.watches if (found := watch(tx))), None)
        except (DBAPIError, NoConnection) as error:  # the page that says so is drawn as well
            log.warning("web.watch_not_read", error=type(error).__name__)
            return None


@lru_cache(maxsize=8)  # templates that were read once are kept
def _environment(modules: tuple[Module, ...]) -> Environment:
    loaders: dict[str, BaseLoader] = {
        module.name: PackageLoader(module.templates) for module in modules if module.templates
    }
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("pilothouse.kernel"), PrefixLoader(loaders)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(asset=asset, Markup=Markup)
    environment.filters.update(words.FILTERS)
    environment.filters.update(markdown=markup.markdown, code=markup.code, safe_url=markup.safe_url)
    return environment
