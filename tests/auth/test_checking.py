"""A provider is asked again whether it knows someone, and people do things meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.auth.browsing import MODULES
from tests.auth.test_oidc import Forger, served

from pilothouse.kernel.actors import Identity, Role
from pilothouse.kernel.auth import jobs
from pilothouse.kernel.auth.formats import opened, sealed
from pilothouse.kernel.auth.model import Provider
from pilothouse.kernel.auth.service import people, staying
from pilothouse.kernel.auth.service.staying import Browser
from pilothouse.kernel.jobs import store as jobs_store
from pilothouse.kernel.jobs.worker import Work
from pilothouse.kernel.program import Program, open_program
from pilothouse.kernel.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.kernel.auth.model import Person

KEY = "a key that is long enough for tests of it"
MAYA = Identity("forged", "maya", "maya", groups=("platform",))


@dataclass(slots=True)
class Busy(Forger):
    """Something is done while it is asked for a token."""

    meanwhile: Callable[[], None] = lambda: None

    def answer(self, path: str) -> Any:
        if path == "/token":
            self.meanwhile()
        return Forger.answer(self, path)


@pytest.fixture
def provider() -> Iterator[Busy]:
    with served(Busy()) as found:
        assert isinstance(found, Busy)
        found.claims = {"nonce": None, "preferred_username": "of-the-check"}
        yield found


@pytest.fixture
def program(provider: Busy, database_url: str, tmp_path: Path) -> Iterator[Program]:
    forged = Provider(
        name="forged", issuer=provider.url, client_id="us", roles={"platform": "admin"}
    )
    settings = Settings(
        database_url=database_url, data=str(tmp_path), sign_in=(forged,), secret_key=KEY
    )
    found = open_program(settings, MODULES)
    yield found
    found.db.engine.dispose()


def signs_in(program: Program, token: str, identity: Identity = MAYA) -> Person:
    """Comes from the provider with a refresh token; the check is due."""
    side = program.settings.sign_in[0]
    with program.db.begin() as tx:
        person = people.welcome(tx, side, identity, "viewer")
        people.put_refresh(tx, person, sealed(KEY, token), timedelta(0))
        staying.begin(tx, person, Browser(), timedelta(days=1), "forged")
    return person


def check(program: Program) -> None:
    with program.db.begin() as tx:
        [job] = jobs_store.claim(tx.conn, {people.CHECK: timedelta(seconds=30)}, 1)
    jobs.check(Work(program.db, job, program.job_kinds[people.CHECK], program))


def known(program: Program, person: Person) -> tuple[Person, str | None]:
    with program.db.read() as tx:
        found = people.find(tx, person.id)
        assert found is not None
        return found, people.refresh_of(tx, found)


def test_what_a_provider_says_now_is_kept(program):
    person = signs_in(program, "first")
    check(program)
    found, refresh = known(program, person)
    assert (found.name, found.role) == ("of-the-check", Role.VIEWER)
    assert refresh


@pytest.mark.parametrize("identity", [MAYA, msgspec.structs.replace(MAYA, name="anew")])
def test_who_signs_in_while_their_provider_is_asked_stays_as_they_signed_in(
    program, provider, identity
):
    person = signs_in(program, "first")
    provider.meanwhile = lambda: signs_in(program, "second", identity)
    check(program)
    found, refresh = known(program, person)
    assert (found.name, found.role, found.groups) == (identity.name, Role.ADMIN, ("platform",))
    assert refresh
    assert opened(KEY, refresh) == "second"
    provider.meanwhile = lambda: None
    check(program)  # it was asked for anew by signing in
    assert known(program, person)[0].name == "of-the-check"


def test_a_no_to_an_older_token_ends_no_newer_sign_in(program, provider):
    person = signs_in(program, "first")
    provider.claims = {"nonce": None, "sub": "someone-else"}  # a no
    provider.userinfo = {"sub": "someone-else"}
    provider.meanwhile = lambda: signs_in(program, "second")
    check(program)
    found, refresh = known(program, person)
    assert (found.gone_at, opened(KEY, refresh or "")) == (None, "second")
    provider.meanwhile = lambda: None
    check(program)
    found, refresh = known(program, person)
    assert found.gone_at is not None
    assert refresh is None


def test_what_changes_while_a_provider_is_asked_is_not_written_back(program, provider):
    person = signs_in(program, "first")
    before = known(program, person)[0]
    provider.meanwhile = lambda: later(program, person)
    check(program)
    found = known(program, person)[0]
    assert found.seen_at
    assert before.seen_at
    assert found.seen_at >= before.seen_at + timedelta(minutes=5)


def later(program: Program, person: Person) -> None:
    """Signs in elsewhere, five minutes on."""
    with program.db.begin() as tx:
        tx.now += timedelta(minutes=5)
        staying.begin(tx, person, Browser(), timedelta(days=1), "forged")
