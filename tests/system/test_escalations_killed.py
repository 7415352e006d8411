"""Who pages is killed: people are told all the same, at most once more for each kill."""

from __future__ import annotations

import http.client
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from tests.oncall.paged import CHECKOUT, ONE, TWO
from tests.servers import LOOPBACK, free_port, wait_until
from tests.system.killing import STEPPING, TAKING, killed, trigger

from pilothouse.oncall.model.paging import State
from pilothouse.oncall.service import keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.killing import Killed

TAKEOVER = 5.0  # seconds
UNHEARD = ("oncall.called", "oncall.sent", "jobs.finishing@oncall.deliver")  # it was told before


@pytest.fixture(scope="module")
def company(shared_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    with killed(shared_database_url, tmp_path_factory.mktemp("killed")) as found:
        yield found


@pytest.fixture
def here(company: Killed) -> Iterator[Killed]:
    company.to.asked.clear()
    yield company
    for one in company.fork.started:
        one.kill()
    company.free()
    if company.page() is not None:
        company.over()


def test_a_page_arrives_wherever_its_makers_are_killed(here: Killed) -> None:
    for point in TAKING:
        if here.page() is not None:
            here.over()
        before = here.heard()
        here.say()
        here.cut_off(point)
        here.done()
        (told,) = (here.heard() - before).items()
        assert told[1] == (2 if point in UNHEARD else 1), point
    for rounds, point in enumerate(STEPPING, 2):
        before = here.heard()
        here.hurry()
        here.cut_off(point)
        here.done(rounds)
        (told,) = (here.heard() - before).items()
        assert told[1] == 1, point
    page = here.page()
    assert page is not None
    assert [one.person for one in here.shop.told(page)] == [ONE, TWO, ONE, TWO]
    assert len(here.heard()) == len(TAKING) + len(STEPPING)


def test_of_two_replicas_one_goes_on_when_the_other_dies_at_the_instant_of_sending(
    here: Killed,
) -> None:
    victim, other = here.fork("work", crash_at="oncall.calling"), here.fork("work")
    said = 0
    while victim.running and said < 40:
        if here.page() is not None:
            here.over()
        here.say()
        said += 1
        assert wait_until(lambda: not victim.running or here.told()), victim.complaint("not told")
    died = time.monotonic()
    assert victim.wait() == -9, victim.complaint("not killed")
    assert wait_until(here.told), other.complaint("not taken over")
    assert time.monotonic() - died < TAKEOVER
    assert list(here.heard().values()) == [1] * said


def test_an_acknowledgement_that_is_cut_off_is_none_and_one_that_is_not_stops_it(
    here: Killed,
) -> None:
    here.say()
    here.done()
    page = here.page()
    assert page is not None
    asked = ("oncall", "ack", str(page.number), "--by", ONE)
    dying = here.fork(*asked, crash_at="oncall.acknowledged")
    assert dying.wait() == -9, dying.complaint("not killed")
    assert here.shop.page(page).state is State.OPEN
    here.hurry()
    here.done(2)
    assert len(here.to.asked) == 2
    again = here.fork(*asked)
    assert again.wait() == 0, again.complaint("refused")
    assert here.shop.page(page).state is State.ACKNOWLEDGED
    assert here.waiting() == 0


def test_what_a_server_accepted_before_it_was_killed_pages_and_what_it_did_not_is_said_again(
    here: Killed,
) -> None:
    with here.shop.program.db.begin() as tx:
        key = keys.make(tx, "test", CHECKOUT)
    port = free_port()

    def send() -> int:
        asking = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
        with closing(asking), suppress(OSError, http.client.HTTPException):
            body = trigger(key, "once")
            asking.request("POST", "/v2/enqueue", body, {"Content-Type": "application/json"})
            return asking.getresponse().status
        return 0

    dying = here.fork("serve", "--port", str(port), crash_at="oncall.taken")
    assert wait_until(lambda: bool(send()) or not dying.running)
    assert dying.wait() == -9, dying.complaint("not killed")
    assert here.page() is None
    server = here.fork("serve", "--port", str(port))
    assert wait_until(lambda: send() == 202), server.complaint("not accepted")
    server.kill()
    here.done()
    assert list(here.heard().values()) == [1]
