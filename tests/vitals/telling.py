"""A portal whose catalog has a shop, to which pages tell what their visitors felt."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.kernel.portal import PAGE, Answer, Portal, serving
from tests.servers import wait_until

from pilothouse import app
from pilothouse.catalog import jobs as catalog_jobs
from pilothouse.catalog.service import passes
from pilothouse.vitals import store
from pilothouse.vitals.api.beacons import door_of
from pilothouse.vitals.service import taking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHOP, KEY = "component:default/shop", "shop-web-1"
TEAM = "group:default/storefront"


def component(name: str, key: str = KEY, owner: str = "storefront", **more: str) -> str:
    said = json.dumps({"pilothouse/vitals-key": key, **more}) if key else json.dumps(more)
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n"
        f"  name: {name}\n  title: {name.capitalize()}\n  annotations: {said}\n"
        f"spec: {{type: website, lifecycle: production, owner: {owner}}}\n"
    )


def group(name: str = "storefront", **annotations: str) -> str:
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n"
        f"  name: {name}\n  title: {name.capitalize()}\n  annotations: {json.dumps(annotations)}\n"
        "spec: {type: team, children: []}\n"
    )


@dataclass
class Told:
    """The portal and what a test asks of it."""

    portal: Portal
    folder: Any

    @property
    def db(self) -> Any:
        return self.portal.program.db

    @property
    def intake(self) -> Any:
        return door_of(self.portal.program).intake

    def catalog(self, *documents: str) -> None:
        (self.folder / "catalog-info.yaml").write_text("---\n".join(documents))
        with self.db.begin() as tx:
            passes.register(tx, [str(self.folder)])
        catalog_jobs.look(self.portal.program, str(self.folder))
        self.intake._loaded = float("-inf")

    def post(self, body: Any, **headers: str) -> Answer:
        text = body if isinstance(body, str) else json.dumps(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.portal.ask(
            "POST", "/rum/v1/beacon", {"Content-Type": "text/plain", **named}, text
        )

    def view(self, path: str = "/", entity: str = SHOP, key: str = KEY, **numbers: float) -> Answer:
        width = numbers.pop("w", 1440)
        return self.post({"e": entity, "k": key, "p": path, "w": width, "m": numbers})

    def settle(self) -> None:
        """Have all that came in written down and worked in."""
        self.intake.write_down()
        with self.db.begin() as tx:
            while taking.fold(tx):
                pass

    def dropped(self, *refs: str) -> dict[str, int]:
        with self.db.read() as tx:
            return store.dropped_of(tx.conn, refs or (SHOP, ""), 0)

    def pages(self, ref: str = SHOP) -> set[str]:
        with self.db.read() as tx:
            return set(store.pages_of(tx.conn, [ref]).get(ref, ()))

    def page(self, path: str) -> str:
        answer = self.portal.get(path, PAGE)
        assert answer.status == 200, answer.text[:2000]
        return answer.text

    def written_down(self) -> bool:
        def waits() -> bool:
            with self.db.read() as tx:
                return bool(store.waiting(tx.conn, 1))

        return wait_until(waits)


@contextmanager
def telling(url: str, folder: Path, *documents: str, **settings: Any) -> Iterator[Told]:
    source = folder / "catalog"
    source.mkdir()
    with serving(url, app.modules(), data=str(folder / "data"), **settings) as portal:
        told = Told(portal, source)
        told.catalog(*(documents or (component("shop"), group())))
        yield told
