"""The whole program, put together. This file and cli.py alone know every module."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

from pilothouse.apis.module import module as apis
from pilothouse.catalog.module import module as catalog
from pilothouse.checks.module import module as checks
from pilothouse.cycles.module import module as cycles
from pilothouse.deploys.module import module as deploys
from pilothouse.docs.module import module as docs
from pilothouse.export.module import module as export
from pilothouse.incidents.module import module as incidents
from pilothouse.kernel.alerts.module import module as alerts
from pilothouse.kernel.auth.module import module as auth
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.measurements.module import module as measurements
from pilothouse.kernel.module import Module
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings
from pilothouse.objectives.module import module as objectives
from pilothouse.oncall.module import module as oncall
from pilothouse.vitals.module import module as vitals

OURS = (
    auth,
    alerts,
    measurements,
    catalog,
    docs,
    apis,
    deploys,
    checks,
    vitals,
    objectives,
    oncall,
    cycles,
    incidents,
    export,
)
GROUP = "pilothouse.modules"  # entry points of installed packages that bring a Module


def modules() -> tuple[Module, ...]:
    """Our modules, then those of installed packages.

    Raises Invalid for an entry point that brings no Module, or one whose name is taken.
    """
    found = list(OURS)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        module = point.load()
        if not isinstance(module, Module):
            raise Invalid(f"entry point {point.name} of {GROUP} is {module!r}, not a Module")
        if module.name in {other.name for other in found}:
            raise Invalid(f"two modules are called {module.name!r}: see entry point {point.name}")
        found.append(module)
    return tuple(found)


def program(settings: Settings, more: Sequence[Module] = ()) -> Program:
    """The program for these settings, its database ready; `more` are modules beside ours."""
    return open_program(settings, (*modules(), *more))
