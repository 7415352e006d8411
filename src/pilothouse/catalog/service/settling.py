"""What the files say becomes what the catalog has: claims are settled, versions are written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from pilothouse.catalog.model import (
    ChangeKind,
    Claim,
    Commit,
    Edge,
    FieldChange,
    Present,
    Scope,
    Tally,
)
from pilothouse.catalog.rules import changes, search
from pilothouse.catalog.rules.claims import holder
from pilothouse.catalog.rules.titles import title_of
from pilothouse.catalog.service.rivals import tell_rivals
from pilothouse.catalog.store import documents, entities, problems, relations
from pilothouse.kernel.clock import uuid7
from pilothouse.kernel.events import Event
from pilothouse.kernel.tx import Tx

CHANGED = "catalog.changed"  # the type of the event that tells of new versions
MOST_AT_ONCE = 400  # refs of one query; both databases have a limit for its values
MOST_PAIRS = 40_000  # of entities that went and came in one pass; beyond that none is a rename
_OWN_COLUMNS = frozenset({"metadata.name", "metadata.namespace", "metadata.uid"})


class _Step(msgspec.Struct, frozen=True):
    """One entity that is to be written, and why."""

    claim: Claim
    body: dict[str, Any]
    text: str
    definition: str | None
    change: ChangeKind | None  # None: only where it stands is new
    changes: Sequence[FieldChange]
    uid: str
    present: Present | None


def settle(tx: Tx, refs: Iterable[str], commits: dict[str, Commit]) -> Tally:
    """Bring these entities to what their files say now; `commits` by path.

    Entities without any claim are left to `finish`, which may find them under another name.
    """
    wanted = sorted(set(refs))
    tally = Tally()
    for start in range(0, len(wanted), MOST_AT_ONCE):
        tally.add(_settle(tx, wanted[start : start + MOST_AT_ONCE], commits))
    return tally


def _settle(tx: Tx, wanted: list[str], commits: dict[str, Commit]) -> Tally:
    held = documents.claims(tx.conn, wanted)
    known = entities.present(tx.conn, wanted)
    fresh = [ref for ref in wanted if ref in held and ref not in known]
    former = entities.former_uids(tx.conn, fresh)
    long_texts: dict[str, str] = {}
    steps: list[_Step] = []
    for ref in wanted:
        if ref in held:
            uid = known[ref].uid if ref in known else former.get(ref) or uuid7()
            steps.append(_step(held[ref], known.get(ref), uid, long_texts))
    entities.put_definitions(tx.conn, long_texts)
    _write(tx, [step for step in steps if step.change], commits)
    _replace(tx, [step for step in steps if not step.change])
    tell_rivals(tx, wanted, held, {step.claim.document_id for step in steps})
    tally = _count(steps)
    _announce(tx, steps, tally)
    return tally


def _step(
    rivals: list[Claim], present: Present | None, uid: str, long_texts: dict[str, str]
) -> _Step:
    claim = holder(rivals, present.document_id if present else None)
    body, definition = split_definition(claim.entity.body)
    digest = None
    if definition is not None:
        digest = hashlib.sha256(definition.encode()).hexdigest()
        long_texts[digest] = definition
    text = msgspec.json.encode(body).decode()
    kind, diff = _difference(claim, present, body, text, digest)
    return _Step(claim, body, text, digest, kind, diff, uid, present)


def split_definition(body: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """A body without its `spec.definition`, and that text, which is kept apart and only once."""
    spec = body.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("definition"), str):
        return body, None
    rest = {key: value for key, value in spec.items() if key != "definition"}
    return {**body, "spec": rest}, spec["definition"]


def _difference(
    claim: Claim, present: Present | None, body: dict[str, Any], text: str, digest: str | None
) -> tuple[ChangeKind | None, Sequence[FieldChange]]:
    if present is None:
        return ChangeKind.ADDED, ()
    diff: list[FieldChange] = []
    if text != present.body:
        diff = changes.changes(msgspec.json.decode(present.body), body)
    if digest != present.definition:
        diff.append(FieldChange("spec.definition", present.definition, digest))
    if diff:
        return ChangeKind.CHANGED, diff
    moved = (claim.spec, claim.path) != (present.origin, present.path)
    return (ChangeKind.MOVED if moved else None), ()


def _write(tx: Tx, steps: list[_Step], commits: dict[str, Commit]) -> None:
    new_versions = [_version(tx, step, commits.get(step.claim.path)) for step in steps]
    version_ids = entities.add_versions(tx.conn, new_versions)
    added = [step for step in steps if step.present is None]
    changed = [step for step in steps if step.present is not None]
    ids = entities.add(tx.conn, [_row(tx.now, step, version_ids[step.uid]) for step in added])
    rows = [
        {"entity": step.present.id, **_row(tx.now, step, version_ids[step.uid])}
        for step in changed
        if step.present
    ]
    entities.change(tx.conn, rows)
    ids |= {step.present.ref: step.present.id for step in changed if step.present}
    _index(tx, added, changed, ids)
    _relate(tx, steps)


def _version(tx: Tx, step: _Step, commit: Commit | None) -> entities.NewVersion:
    claim = step.claim
    return entities.NewVersion(
        uid=step.uid,
        ref=str(claim.entity.ref),
        kind=claim.entity.ref.kind,
        at=tx.now,
        change=step.change or ChangeKind.CHANGED,
        changes=step.changes,
        body=step.text,
        definition=step.definition,
        origin=claim.spec,
        path=claim.path,
        line=claim.line,
        actor=tx.actor.id,
        commit=commit,
    )


def _row(now: datetime, step: _Step, version_id: int) -> dict[str, Any]:
    """The columns of an entity."""
    ref = step.claim.entity.ref
    spec = step.body.get("spec") or {}
    title = title_of(step.body)
    owner = next((e.target for e in step.claim.entity.edges if e.type == "ownedBy"), "")
    return {
        "uid": step.uid,
        "ref": str(ref),
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "title": title[:400],
        "label": title.lower()[:400],
        "type": _lower(spec.get("type")),
        "lifecycle": _lower(spec.get("lifecycle")),
        "owner": owner,
        "version_id": version_id,
        "document_id": step.claim.document_id,
        "source_id": step.claim.source_id,
        "added_at": step.present.added_at if step.present else now,
        "changed_at": now,
        "stale": step.claim.stale,
    }


def _lower(value: object) -> str:
    return value.lower()[:200] if isinstance(value, str) else ""


def _index(tx: Tx, added: list[_Step], changed: list[_Step], ids: dict[str, int]) -> None:
    plus: list[tuple[int, entities.SearchRow]] = []
    minus: list[tuple[int, entities.SearchRow]] = []
    for step in added:
        entity = ids[str(step.claim.entity.ref)]
        plus += [(entity, row) for row in _search_rows(step.body)]
    for step in changed:
        if step.present is None:
            continue
        entity = step.present.id
        before = set(_search_rows(msgspec.json.decode(step.present.body)))
        after = set(_search_rows(step.body))
        plus += [(entity, row) for row in after - before]
        minus += [(entity, row) for row in before - after]
    entities.put_search(tx.conn, plus, minus)
    for steps, new in ((added, True), (changed, False)):
        words = [(ids[str(step.claim.entity.ref)], search.entity_text(step.body)) for step in steps]
        entities.put_texts(tx.conn, words, new=new)


def _search_rows(body: dict[str, Any]) -> list[entities.SearchRow]:
    """What filters look through, as it is kept; names are the entity's own columns."""
    return [
        (
            row.key,
            entities.NOTHING if row.value is None else row.value,
            row.original if row.original != row.value else None,
        )
        for row in search.search_rows(body)
        if row.key not in _OWN_COLUMNS
    ]


def _relate(tx: Tx, steps: list[_Step]) -> None:
    """Bring the relations that documents state to what they state now."""
    fresh: list[tuple[str, Edge]] = []
    gone: list[tuple[str, Edge]] = []
    changed = [str(step.claim.entity.ref) for step in steps if step.present is not None]
    before = relations.of_emitters(tx.conn, changed) if changed else {}
    for step in steps:
        ref = str(step.claim.entity.ref)
        old, new = before.get(ref, set()), set(step.claim.entity.edges)
        gone += [(ref, edge) for edge in old - new]
        fresh += [(ref, edge) for edge in new - old]
    relations.remove(tx.conn, gone)
    relations.add(tx.conn, fresh)


def _replace(tx: Tx, steps: list[_Step]) -> None:
    """Entities whose content stays, though their document is another row or has gone stale."""
    rows = [
        {
            "entity": step.present.id,
            "document_id": step.claim.document_id,
            "source_id": step.claim.source_id,
            "stale": step.claim.stale,
        }
        for step in steps
        if step.present
        and (step.claim.document_id, step.claim.source_id, step.claim.stale)
        != (step.present.document_id, step.present.source_id, step.present.stale)
    ]
    entities.change(tx.conn, rows)
    _relate(tx, steps)  # the lines of what they refer to may be others


def _count(steps: list[_Step]) -> Tally:
    tally = Tally()
    for step in steps:
        match step.change:
            case ChangeKind.ADDED:
                tally.added += 1
            case None:
                tally.unchanged += 1
            case _:
                tally.changed += 1
    return tally


def _announce(tx: Tx, steps: list[_Step], tally: Tally) -> None:
    told = [step for step in steps if step.change]
    if not told:
        return
    tx.emit(
        Event(
            type=CHANGED,
            entities=tuple(str(step.claim.entity.ref) for step in told),
            source=told[0].claim.spec[:500],
            data={"added": tally.added, "changed": tally.changed, "removed": 0},
        )
    )


def remove(tx: Tx, gone: list[Present], commits: dict[str, Commit]) -> None:
    """Take entities out of the catalog; each leaves a last version that says so."""
    if not gone:
        return
    entities.add_versions(tx.conn, [_last(tx, item, commits.get(item.path)) for item in gone])
    rows = [(item.id, row) for item in gone for row in _search_rows(msgspec.json.decode(item.body))]
    entities.put_search(tx.conn, (), rows)
    refs = [item.ref for item in gone]
    said = relations.of_emitters(tx.conn, refs)
    relations.remove(tx.conn, [(ref, edge) for ref, edges in said.items() for edge in edges])
    problems.clear_refs(tx.conn, Scope.REFERENCE, refs)
    problems.clear_refs(tx.conn, Scope.CLAIM, refs)
    entities.remove(tx.conn, gone)
    tx.emit(
        Event(
            type=CHANGED,
            entities=tuple(refs),
            source=gone[0].origin[:500],
            data={"added": 0, "changed": 0, "removed": len(gone)},
        )
    )


def _last(tx: Tx, item: Present, commit: Commit | None) -> entities.NewVersion:
    return entities.NewVersion(
        uid=item.uid,
        ref=item.ref,
        kind=item.kind,
        at=tx.now,
        change=ChangeKind.REMOVED,
        changes=(),
        body=item.body,
        definition=item.definition,
        origin=item.origin,
        path=item.path,
        line=item.line,
        actor=tx.actor.id,
        commit=commit,
    )


def rename(tx: Tx, old: Present, new: Present) -> None:
    """Let `new` be what `old` was: its identity and history go on under the new name."""
    rows = _search_rows(msgspec.json.decode(old.body))
    entities.put_search(tx.conn, (), [(old.id, row) for row in rows])
    said = relations.of_emitters(tx.conn, [old.ref])
    relations.remove(tx.conn, [(old.ref, edge) for edge in said.get(old.ref, ())])
    problems.clear_refs(tx.conn, Scope.REFERENCE, [old.ref])
    problems.clear_refs(tx.conn, Scope.CLAIM, [old.ref])
    entities.adopt(tx.conn, new, old, _renaming(old, new), tx.now)
    tx.emit(
        Event(
            type=CHANGED,
            entities=(old.ref, new.ref),
            source=new.origin[:500],
            data={"added": 0, "changed": 1, "removed": 0, "renamed": [old.ref, new.ref]},
        )
    )


def _renaming(old: Present, new: Present) -> list[FieldChange]:
    """The new name, and whatever else was changed with it."""
    before, after = (msgspec.json.decode(item.body) for item in (old, new))
    rest = [item for item in changes.changes(before, after) if item.field not in _OWN_COLUMNS]
    if old.definition != new.definition:
        rest.append(FieldChange("spec.definition", old.definition, new.definition))
    return [FieldChange("metadata.name", old.ref, new.ref), *rest]


def renamed(gone: list[Present], added: list[Present]) -> dict[str, str]:
    """Which of the entities that went came back under another name: old ref to new ref."""
    if len(gone) * len(added) > MOST_PAIRS:
        return {}
    old, new = (
        {item.ref: msgspec.json.decode(item.body) for item in items} for items in (gone, added)
    )
    return changes.renames(old, new)
