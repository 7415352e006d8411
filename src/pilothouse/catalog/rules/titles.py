"""What an entity is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def title_of(body: Mapping[str, Any]) -> str:
    """Its title; else the display name of a team or a person; else its name.

    Source: Backstage, plugin-catalog-react, EntityDisplayName's defaultEntityPresentation.
    """
    metadata, spec = body["metadata"], body.get("spec")
    profile = spec.get("profile") if isinstance(spec, dict) else None
    called = profile.get("displayName") if isinstance(profile, dict) else None
    for one in (metadata.get("title"), called):
        if isinstance(one, str) and one:
            return one
    return str(metadata["name"])
