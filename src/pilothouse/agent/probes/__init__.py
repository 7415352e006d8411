"""One file for each type of check: visits once, measures every phase, never raises."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from pilothouse.agent.seen import Probe
from pilothouse.checks.model.documents import NETWORK_TYPES

PROBES = (*NETWORK_TYPES, "oidc", "journey")  # a heartbeat is not visited: it calls


@cache
def of_type(kind: str) -> Probe | None:
    """The probe of a type of check, imported on first use; None where it is not visited.

    Each is `probe(visit)` in the file of its type's name.
    """
    if kind not in PROBES:
        return None
    return import_module(f"{__name__}.{kind}").probe
