"""Following the catalog: which API has which definition now, and what changed in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.apis.model import (
    Contract,
    Finding,
    Party,
    Role,
    Severity,
    Style,
    Unreadable,
)
from pilothouse.apis.service import comparing, keeping, reading
from pilothouse.apis.store import changes
from pilothouse.apis.store import references as store
from pilothouse.apis.store.references import State
from pilothouse.catalog.service import definitions
from pilothouse.catalog.service.definitions import Present, Step
from pilothouse.kernel.events import Event

if TYPE_CHECKING:
    from pilothouse.kernel.tx import Tx

CHANGED = "apis.changed"
REMOVED = "removed"  # a change of the catalog
MOST_STEPS = 20  # versions that are compared when an API is first seen
PARTIES = {"apiProvidedBy": Role.PROVIDER, "apiConsumedBy": Role.CONSUMER}
NAMED_IN_EVENT = 10  # findings


class Plan(msgspec.Struct, frozen=True):
    """An API that is not as it was when it was last looked at."""

    ref: str
    present: Present | None  # None: it left the catalog
    state: State | None
    steps: tuple[Step, ...]
    kept: bool = False  # its definition now is ready to be shown already

    @property
    def news(self) -> list[str]:
        """Definitions that came since it was last looked at."""
        last = self.state.digest if self.state else None
        found = [step.digest for step in self.steps[-MOST_STEPS:] if step.digest]
        return found if any(digest != last for digest in found) else []


class Compared(msgspec.Struct, frozen=True):
    """A version of an API and what it changed."""

    step: Step
    findings: tuple[Finding, ...]


class Outcome(msgspec.Struct, frozen=True):
    """What reading an API came to, ready to be written."""

    prepared: keeping.Prepared | None  # None: kept already, or nothing to keep
    compared: tuple[Compared, ...]
    base: str | None  # the last definition that could be read


def stale(tx: Tx) -> list[str]:
    """APIs that were not followed to where the catalog is, and those that left it."""
    states = store.all_states(tx.conn)
    present = definitions.apis(tx)
    behind = [item.ref for item in present if not _is_current(item, states.get(item.uid))]
    refs = {item.ref for item in present}
    gone = [s.ref for s in states.values() if s.digest and s.ref not in refs]
    return [*behind, *gone]


def _is_current(present: Present, state: State | None) -> bool:
    return (
        state is not None
        and state.version_id >= present.version_id
        and state.ref == present.ref
        and state.read_as == keeping.READ_AS
    )


def plan(tx: Tx, ref: str) -> Plan | None:
    """What is to be done about an API; None where it was followed to the end."""
    present = definitions.present(tx, [ref]).get(ref)
    if present is None:
        state = store.state_of_ref(tx.conn, ref)
        if state is None or state.digest is None:
            return None
        steps = definitions.steps(tx, state.uid, state.version_id)
        is_gone = bool(steps) and steps[-1].change == REMOVED
        return Plan(ref, None, state, tuple(steps[-1:])) if is_gone else None
    state = store.state_of_uid(tx.conn, present.uid)
    if _is_current(present, state):
        return None
    after = state.version_id if state else 0
    kept = present.digest is not None and keeping.is_kept(tx, present.digest)
    return Plan(ref, present, state, tuple(definitions.steps(tx, present.uid, after)), kept)


def digests_of(found: Plan) -> list[str]:
    """The definitions that must be read to carry a plan out."""
    if found.present is None:
        return []
    wanted = [found.state.base] if found.news and found.state else []
    wanted += found.news
    if not found.kept:
        wanted.append(found.present.digest)
    return list(dict.fromkeys(digest for digest in wanted if digest))


def text(tx: Tx, digest: str) -> str | None:
    """A definition's text, as the catalog keeps it."""
    return definitions.text(tx, digest)


def read(text: str | None) -> Contract | Unreadable:
    """What a text says, or why it says nothing."""
    if text is None:
        return Unreadable("the catalog does not keep its text any more")
    try:
        return reading.contract_of(text)
    except Unreadable as error:
        return error


def decide(found: Plan, contracts: dict[str, Contract | Unreadable]) -> Outcome:
    """What changed from version to version, and what is to be kept."""
    if found.present is None:
        gone = Finding("api-removed", Severity.BREAKING, f"{found.ref} left the catalog", found.ref)
        return Outcome(None, (Compared(found.steps[-1], (gone,)),), None)
    compared, base = _step_by_step(found, contracts)
    digest = found.present.digest
    prepared = None
    if digest and not found.kept:
        prepared = keeping.prepare(digest, _as_declared(contracts[digest], found.present.type))
    return Outcome(prepared, compared, base)


def _step_by_step(
    found: Plan, contracts: dict[str, Contract | Unreadable]
) -> tuple[tuple[Compared, ...], str | None]:
    """What each version changed, and the last one that could be read."""
    base = found.state.base if found.state else None
    last = found.state.digest if found.state else None
    compared: list[Compared] = []
    for step in found.steps[-MOST_STEPS:]:
        if step.digest is None or step.change == REMOVED or step.digest == last:
            continue
        now, last = contracts[step.digest], step.digest
        findings: tuple[Finding, ...] = ()
        before = contracts[base] if base else None
        if isinstance(now, Unreadable):
            findings = (_unreadable(now),) if base is not None else ()
        elif isinstance(before, Contract) and base != step.digest:
            findings = _differences(before, now)
        if findings:
            compared.append(Compared(step, findings))
        if isinstance(now, Contract) and now.style is not Style.OTHER:
            base = step.digest
    return tuple(compared), base


def _as_declared(contract: Contract | Unreadable, declared: str) -> Contract | Unreadable:
    """The contract with a notice where `spec.type` says another format than its text is in."""
    if isinstance(contract, Unreadable):
        return contract
    found = reading.checked(contract, declared)
    if found.style is Style.OTHER and found.notices:
        return Unreadable(found.notices[0])
    return found


def _unreadable(error: Unreadable) -> Finding:
    text = f"The definition cannot be read any more: {error}"
    return Finding("definition-unreadable", Severity.WARNING, text, "definition")


def _differences(before: Contract, now: Contract) -> tuple[Finding, ...]:
    if comparing.are_comparable(before, now):
        return comparing.compare(before, now).findings
    text = f"The definition is in another format: {before.style} before, {now.style} now"
    return (Finding("format-changed", Severity.WARNING, text, "definition"),)


def settle(tx: Tx, found: Plan, outcome: Outcome) -> bool:
    """Write what came of a plan; False when somebody else was faster."""
    previous = found.state.digest if found.state else None
    state = _state(found, outcome)
    if not store.put_state(tx.conn, state):
        return False
    if outcome.prepared is not None and not keeping.is_kept(tx, outcome.prepared.kept.digest):
        keeping.keep(tx, outcome.prepared)
    if previous and previous != state.digest:
        store.drop_unused(tx.conn, previous)
    keeping.put_documents(tx, state)
    for one in outcome.compared:
        _tell(tx, state, one)
    return True


def _state(found: Plan, outcome: Outcome) -> State:
    if found.present is None:
        gone = found.state
        if gone is None:
            raise ValueError(found.ref)
        return msgspec.structs.replace(gone, digest=None, base=None, version_id=found.steps[-1].id)
    present = found.present
    return State(
        uid=present.uid,
        ref=present.ref,
        title=present.title,
        owner=present.owner,
        version_id=present.version_id,
        digest=present.digest,
        base=outcome.base,
        read_as=keeping.READ_AS,
    )


def _tell(tx: Tx, state: State, one: Compared) -> None:
    """Write a change down and tell everybody whom it concerns; once, whoever comes first."""
    parties = _parties(tx, state)
    step = one.step
    change_id = changes.add(
        tx.conn,
        changes.NewChange(
            uid=state.uid,
            version_id=step.id,
            ref=state.ref,
            at=step.at,
            author=step.author,
            commit=step.commit,
            subject=step.subject,
            findings=one.findings,
            parties=parties,
        ),
    )
    if change_id is None:
        return
    counts = {s: sum(f.severity is s for f in one.findings) for s in Severity}
    consumers = [party for party in parties if party.role is Role.CONSUMER]
    tx.emit(
        Event(
            type=CHANGED,
            entities=tuple(party.ref for party in parties),
            source="apis",
            dedup_key=f"apis.changed:{state.uid}:{step.id}",
            data={
                "api": state.ref,
                "change": change_id,
                "href": f"/apis/changes/{change_id}",
                **{severity.value: count for severity, count in counts.items()},
                "consumers": [{"ref": one.ref, "owner": one.owner} for one in consumers],
                "findings": [finding.text for finding in one.findings[:NAMED_IN_EVENT]],
            },
        )
    )


def _parties(tx: Tx, state: State) -> tuple[Party, ...]:
    """The API, who provides it and who consumes it, each with its owner."""
    roles = {state.ref: Role.API}
    for relation, target in definitions.related(tx, state.ref):
        if role := PARTIES.get(relation):
            roles.setdefault(target, role)
    owners = definitions.owners(tx, list(roles))
    owners.setdefault(state.ref, state.owner)
    return tuple(Party(ref, role, owners.get(ref, "")) for ref, role in roles.items())
