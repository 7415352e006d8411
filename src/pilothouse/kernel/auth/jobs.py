"""In the background: whether people are still at their providers, what teams they are in."""

from __future__ import annotations

from datetime import timedelta

import structlog

from pilothouse.kernel.auth.formats import opened, sealed
from pilothouse.kernel.auth.model import Claims, Person
from pilothouse.kernel.auth.outside import keys, oidc
from pilothouse.kernel.auth.service import people, staying
from pilothouse.kernel.errors import Denied
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import JobKind
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.outgoing import Unreachable
from pilothouse.kernel.program import Program
from pilothouse.kernel.tx import Tx

log = structlog.get_logger("pilothouse.auth")


def check(work: Work) -> None:
    """Ask someone's provider whether it still vouches for them, and for what.

    One that says no ends what they have. One that does not answer is asked again, ever more
    rarely; their sessions end by age meanwhile, and their tokens rest after 30 days.
    """
    program: Program = work.program
    every = timedelta(seconds=program.settings.sign_in_recheck)
    with work.db.read() as tx:
        person = people.find(tx, work.job.data()["person"])
        asked = person is not None and person.gone_at is None and people.gets_in(tx, person)
        sealed_token = people.refresh_of(tx, person) if person and asked else None
    if person is None or sealed_token is None:
        return
    if program.settings.provider(person.provider) is None:
        _gone(work, person, "its provider is not configured any more", sealed_token)
        return
    token = opened(keys.secret_key(program.settings), sealed_token)
    if token is None:  # another secret_key; they can sign in, and their tokens rest in time
        log.warning("auth.cannot_check", person=person.actor_id, why="secret_key is another one")
        return
    try:
        claims = _ask(program, person, token)
        kept = sealed(keys.secret_key(program.settings), claims.refresh_token or token)
        with work.finish(again_after=every) as tx:
            # Where another token is kept by now they signed in since, and that is newer.
            if people.renew_refresh(tx, person, sealed_token, kept):
                _keep(tx, program, person, claims)
    except oidc.Refused as error:
        _gone(work, person, str(error), sealed_token)


def _ask(program: Program, person: Person, token: str) -> Claims:
    side = oidc.providers_of(program.settings)[person.provider]
    try:
        return side.again(token, person.subject)
    except Denied as error:  # about us or the provider, not about this person: asked again later
        raise Unreachable(str(error)) from error


def _keep(tx: Tx, program: Program, person: Person, claims: Claims) -> None:
    if claims.identity is None:
        people.still_there(tx, person)
        return
    settings = program.settings
    provider = oidc.providers_of(settings)[person.provider].provider
    try:
        people.welcome(tx, provider, claims.identity, settings.default_role)
    except Denied as error:  # they are in none of the groups any more that may sign in
        raise oidc.Refused(str(error)) from error


def _gone(work: Work, person: Person, why: str, asked: str) -> None:
    with work.finish() as tx:
        people.gone(tx, person, why, asked)


def memberships(work: Work, _event: Event) -> None:
    """The catalog changed: people may be other Users of it now, or in other teams."""
    settings = work.program.settings
    with work.db.read() as tx:
        found = people.moved(tx, {one.name: one for one in settings.sign_in})
    with work.finish() as tx:
        people.move(tx, found)


def clean(work: Work) -> None:
    """Forget sessions that are over, and who went to a provider and never came back."""
    with work.finish() as tx:
        staying.clean(tx)


# A provider that is away for days is asked every quarter of an hour, not given up.
jobs = [
    JobKind(people.CHECK, check, max_attempts=1_000_000),
    JobKind("auth.clean", clean, every=timedelta(minutes=10)),
]
