"""Alertmanager's webhook, version 4 (prometheus.io, "Alerting: Configuration", webhook_config)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.kernel.errors import Invalid
from pilothouse.oncall.formats.words import address_of, instant_of, text_of, texts_of
from pilothouse.oncall.model.intake import ALERTMANAGER, Told
from pilothouse.oncall.model.paging import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.kernel.alerts.model import Urgency

ENTITY = "pilothouse_entity"  # the label that names an entity by its ref
NAMES = ("service", "job")  # labels that may be the name of one
LOW = frozenset(
    {"warning", "info", "low", "ticket", "none"}
)  # severities that wake nobody at night


def read(body: bytes) -> list[Told]:
    """What a notification says of each of its alerts.

    Raises Invalid only for what no later version of ours could take: it is not sent again.
    """
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    alerts = said.get("alerts") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(alerts, list):
        raise Invalid("this is no notification of Alertmanager: it has no list 'alerts'")
    common = texts_of(said.get("commonLabels")), texts_of(said.get("commonAnnotations"))
    found = [_told(one, said, *common) for one in alerts if isinstance(one, dict)]
    left_out = said.get("truncatedAlerts")
    if found and isinstance(left_out, int) and left_out > 0:
        found[0] = _with_note(found[0], f"Alertmanager left out {left_out} more (max_alerts).")
    return found


def _told(
    one: Mapping[str, Any],
    group: Mapping[str, Any],
    common_labels: Mapping[str, str],
    common_annotations: Mapping[str, str],
) -> Told:
    labels = {**common_labels, **texts_of(one.get("labels"))}
    key = _key(one, labels)
    if text_of(one.get("status") or group.get("status"), 20) == "resolved":
        return Told(action="clear", key=key)
    notes = {**common_annotations, **texts_of(one.get("annotations"))}
    name = labels.get("alertname", "")
    signal = Signal(
        key=key,
        source=ALERTMANAGER,
        entity=labels.get(ENTITY, ""),
        summary=notes.get("summary") or notes.get("title") or name or "An alert without a name",
        detail="\n".join(_lines(notes, labels)),
        urgency=_urgency(labels),
        href=address_of(notes.get("runbook_url"))
        or address_of(one.get("generatorURL"))
        or address_of(group.get("externalURL")),
        labels=labels,
        at=instant_of(one.get("startsAt")),
    )
    names = tuple(labels[label] for label in NAMES if labels.get(label))
    return Told(action="raise", key=key, signal=signal, names=names)


def _key(one: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Two Alertmanagers of a pair give the same alert the same fingerprint: of its labels."""
    found = text_of(one.get("fingerprint"), 64)
    if not found:
        found = " ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return f"{ALERTMANAGER}:{found}"[:400]


def _urgency(labels: Mapping[str, str]) -> Urgency:
    return "low" if labels.get("severity", "").lower() in LOW else "high"


def _lines(notes: Mapping[str, str], labels: Mapping[str, str]) -> list[str]:
    told = [notes[name] for name in ("description", "message") if notes.get(name)]
    return [*told, ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))]


def _with_note(told: Told, note: str) -> Told:
    if told.signal is None:
        return told
    detail = f"{note}\n{told.signal.detail}"
    return msgspec.structs.replace(told, signal=msgspec.structs.replace(told.signal, detail=detail))
