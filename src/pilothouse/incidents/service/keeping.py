"""Post-mortems as files: what they say, and what people wrote into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from pilothouse.catalog.service import views
from pilothouse.incidents import formats
from pilothouse.incidents.service import postmortems, reading
from pilothouse.incidents.store import actions as items
from pilothouse.incidents.store import postmortems as store
from pilothouse.incidents.store import rows
from pilothouse.kernel.errors import NotFound, PilothouseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.incidents.service.postmortems import Whole
    from pilothouse.kernel.tx import Tx

log = structlog.get_logger("pilothouse.incidents")
MOST = 2000  # post-mortems that are kept as files, the newest


def markdown(tx: Tx, which: str | int) -> str:
    """One as a file. Raises NotFound, also for what the actor may not know of."""
    return _file(tx, postmortems.whole(tx, which))


def _file(tx: Tx, one: Whole) -> str:
    named = views.name_all(tx, sorted({action.owner for action in one.actions}))
    titles = {ref: name.title for ref, name in named.items()}
    return formats.write(one.incident, one.postmortem, one.texts, one.actions, titles)


def files(tx: Tx) -> dict[str, str]:
    """All published ones that everybody may know of, as files by name."""
    found = {one.incident: one for one in store.published(tx.conn, MOST)}
    ids = list(found)
    texts = store.texts(tx.conn, ids)
    of: dict[str, list] = {one: [] for one in ids}
    for action in items.of(tx.conn, ids):
        of[action.postmortem].append(action)
    owners = sorted({action.owner for some in of.values() for action in some})
    titles = {ref: name.title for ref, name in views.name_all(tx, owners).items()}
    return {
        formats.name_of(incident): formats.write(
            incident, found[incident.id], texts[incident.id], of[incident.id], titles
        )
        for incident in rows.of_ids(tx.conn, ids, ())
    }


def take_in(tx: Tx, name: str, body: str) -> int:
    """Keep what people wrote into a file; how many sections that were.

    Nothing else of it is read: neither its action items nor their deadlines.
    """
    match = formats.NAME.fullmatch(name)
    if match is None:
        return 0
    try:
        incident = reading.incident(tx, int(match[1]))
        one = postmortems.whole(tx, incident.id)
    except NotFound:
        return 0
    if incident.restricted or one.postmortem.state != "published":
        return 0
    taken = 0
    for read in formats.read(body):
        try:
            taken += postmortems.take(tx, incident, read.section, read.version, read.text)
        except PilothouseError as error:
            log.warning("incidents.file_not_taken", file=name, error=str(error))
    return taken


def hidden(tx: Tx, names: Iterable[str]) -> list[str]:
    """Those of these files whose incidents few may know of by now."""
    numbered = {int(found[1]): name for name in names if (found := formats.NAME.fullmatch(name))}
    return [numbered[one] for one in rows.restricted(tx.conn, list(numbered))]


def differing(tx: Tx, known: Mapping[str, str]) -> dict[str, str]:
    """Files that say something else than is known of them there."""
    return {name: text for name, text in files(tx).items() if known.get(name) != text}
