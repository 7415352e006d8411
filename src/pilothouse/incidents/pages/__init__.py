"""The pages of incidents; each part of them lists its own routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.incidents.pages import changes, incidents, postmortems

if TYPE_CHECKING:
    from collections.abc import Sequence

routes: Sequence[Any] = (*changes.routes, *incidents.routes, *postmortems.routes)
