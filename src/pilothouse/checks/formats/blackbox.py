"""Configurations of blackbox_exporter as checks: its modules, asked of Prometheus' targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pilothouse.checks.formats import lined, probes, targets
from pilothouse.checks.formats.imported import (
    Draft,
    Imported,
    Names,
    Notes,
    duration_of,
    rhythm,
    slug,
)
from pilothouse.checks.formats.lined import Lined
from pilothouse.checks.formats.targets import Target
from pilothouse.checks.model.documents import CheckSpec

USUAL_EVERY, USUAL_TIMEOUT = "1m", "10s"
LABELS = ("pilothouse_entity", "service", "component", "app")  # that say whose a target is


class Config(msgspec.Struct, frozen=True):
    """The two files, as bytes; the second one says who is asked."""

    modules: bytes
    prometheus: bytes | None = None


def read(config: Config, entity: str = "") -> Imported:
    """One check for each target. Raises Invalid for what is no YAML.

    A check watches `entity`, else what a label of its target names, else its job.
    """
    notes, names = Notes(), Names()
    top = lined.read(config.modules)
    modules = dict(top.get("modules").pairs())
    asked = _asked(config.prometheus, notes)
    drafts = [draft for target in asked if (draft := _draft(target, modules, notes, names, entity))]
    used = {target.module for target in asked}
    for name, module in modules.items():
        if name not in used:
            why = "no target asks it; name the prometheus.yml that does by --targets"
            notes.add(module.line, f"modules: {name}", why)
    return Imported(tuple(drafts), notes.ordered())


def _asked(prometheus: bytes | None, notes: Notes) -> Sequence[Target]:
    return targets.read(prometheus, notes.about("targets")) if prometheus is not None else ()


def _draft(
    target: Target, modules: dict[str, Lined], notes: Notes, names: Names, entity: str
) -> Draft | None:
    module = modules.get(target.module)
    if module is None:
        what = f"targets: job {target.job}: {target.address}"
        notes.add(target.line, what, f"there is no module {target.module!r}; left out")
        return None
    about = notes.about(f"modules: {target.module}")
    made = probes.made(module, target.address, about)
    if made is None:
        return None
    interval = Lined(target.interval or None, target.line)
    every = duration_of(interval, about, "interval", USUAL_EVERY)
    every, timeout = rhythm(every, _timeout(module, target, about), target.line, about)
    spec: dict[str, Any] = {
        "entity": entity or _entity(target),
        "every": every,
        "timeout": timeout,
        "expect": made.expect,
        made.type: made.part,
    }
    title = _title(target.address)
    return Draft(names.of(f"{target.job} {title}"), title, CheckSpec(**spec))


def _timeout(module: Lined, target: Target, notes: Notes) -> str:
    """The module's own, else what Prometheus waits."""
    own = module.get("timeout")
    given = own if own.value is not None else Lined(target.timeout or None, own.line)
    return duration_of(given, notes, "timeout", USUAL_TIMEOUT)


def _entity(target: Target) -> str:
    for label in LABELS:
        if value := target.labels.get(label):
            return value if ":" in value else f"component:default/{slug(value)}"
    return f"component:default/{slug(target.job)}"


def _title(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return address
    return f"{parts.netloc}{parts.path}".strip("/") if parts.netloc else address
