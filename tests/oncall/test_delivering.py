"""Pages reach people: by jobs, whose calls are in no transaction; links acknowledge them, once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
import pytest
import time_machine
from sqlalchemy import select
from tests.kernel.portal import PAGE
from tests.oncall.paged import ONE, Paged, company
from tests.oncall.provided import provider
from tests.oncall.watched import CATALOG, JONAS, MAYA, watched

from pilothouse.kernel import clock
from pilothouse.kernel.actors import LOCAL_ADMIN, Actor, Role
from pilothouse.kernel.auth.outside import keys
from pilothouse.kernel.errors import Conflict, Denied, Invalid, NotFound
from pilothouse.oncall.model.paging import Progress, Signal, State
from pilothouse.oncall.rules import links as link_rules
from pilothouse.oncall.rules import signs
from pilothouse.oncall.service import handing, links, methods, noticing, paging, reading, stepping
from pilothouse.oncall.store.tables import methods as table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oncall.provided import Provider
    from tests.oncall.watched import Watched

    from pilothouse.oncall.model.methods import Method

FORM = {**PAGE, "content-type": "application/x-www-form-urlencoded"}
SLACK, TWILIO = "slack signing secret", "twilio auth token"


@pytest.fixture
def to() -> Iterator[Provider]:
    with provider() as played:
        yield played


def give(shop: Any, person: str, channel: str, address: str, **fields: Any) -> Method:
    key = keys.secret_key(shop.program.settings)
    asked = {"after": 0, "urgency": "both", **fields}
    with shop.program.db.begin(LOCAL_ADMIN) as tx:
        return methods.add(tx, key, person, methods.wanted(channel, address, **asked))


def test_a_page_goes_to_its_provider_and_the_answer_is_kept(database_url, tmp_path, to):
    with company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        give(shop, ONE, "webhook", f"{to.url}/hook")
        page = shop.take()
        shop.work(stepping.DELIVER)
        (told,) = shop.told(page)
        assert (told.progress, told.status) == (Progress.DELIVERED, 200)
        (asked,) = to.asked
        assert asked.headers["pilothouse-key"] == told.dedup_key
        assert asked.json["url"].endswith("/oncall/pages/1")
        with shop.program.db.read() as tx:
            (attempt,) = reading.attempts(tx, page.id)
        assert attempt.fine
        assert not shop.planned(stepping.DELIVER)


def test_a_provider_that_asks_to_wait_is_asked_then_with_the_same_key(database_url, tmp_path, to):
    with company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        give(shop, ONE, "webhook", f"{to.url}/one")
        give(shop, ONE, "webhook", f"{to.url}/two")
        to.says((429, {"Retry-After": "40"}, b""), (200, {}, b""))
        page = shop.take()
        shop.work(stepping.DELIVER)
        first, second = sorted(shop.told(page), key=lambda one: one.id)
        assert first.progress is Progress.WAITING
        assert (first.due_at - clock.now()).total_seconds() > 30
        shop.work(stepping.DELIVER)  # the next method meanwhile: that wait is too long alone
        assert [asked.path for asked in to.asked] == ["/one", "/two"]
        first, second = sorted(shop.told(page), key=lambda one: one.id)
        assert (first.progress, second.progress) == (Progress.WITHDRAWN, Progress.DELIVERED)


def test_a_refusal_gives_way_to_the_next_method_at_once(database_url, tmp_path, to):
    with company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        bad = give(shop, ONE, "webhook", f"{to.url}/one")
        give(shop, ONE, "webhook", f"{to.url}/two")
        to.says((410, {}, b""), (200, {}, b""))
        page = shop.take()
        shop.work(stepping.DELIVER)
        shop.work(stepping.DELIVER)
        assert sorted(one.progress for one in shop.told(page)) == ["delivered", "failed"]
        with shop.program.db.read() as tx:
            found = methods.of(tx, [ONE])[ONE]
        assert [one.failing_since is not None for one in found] == [True, False]
        assert found[0].answer == "410 refused"
        assert found[0].id == bad.id


def test_a_method_that_was_removed_meanwhile_is_said_to_be_gone(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path) as shop:
        made = give(shop, ONE, "sms", "+4915123456789")
        page = shop.take()
        with shop.program.db.begin() as tx:
            methods.remove(tx, made.id)
        shop.work(stepping.DELIVER)
        assert shop.told(page)[0].answer == "this contact method was removed"


def test_addresses_are_encrypted_and_open_for_their_own_method_only(database_url, tmp_path):
    with company(database_url, tmp_path) as shop:
        key = keys.secret_key(shop.program.settings)
        one = give(shop, ONE, "email", "one@shop.example")
        other = give(shop, ONE, "email", "other@shop.example")
        with shop.program.db.begin() as tx:
            kept = tx.conn.execute(select(table.c.address).where(table.c.id == one.id)).scalar_one()
            assert "shop.example" not in kept
            assert methods.opened(tx, key, one.id, ONE).address == "one@shop.example"
            assert methods.opened(tx, "another key " * 4, one.id, ONE).address == ""
            assert methods.opened(tx, key, one.id, "user:default/two") is None
            tx.conn.execute(table.update().where(table.c.id == other.id).values(address=kept))
            assert methods.opened(tx, key, other.id, ONE).address == ""
            assert methods.of(tx, [ONE])[ONE][0].hint == "o…@shop.example"
        assert "one@" not in str(shop.happened(methods.ADDED))


def test_methods_are_for_their_person_and_admins(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path) as shop:
        made = give(shop, ONE, "email", "one@shop.example")
        two = Actor("user:default/two", "two", Role.EDITOR, "user:default/two")
        wanted = methods.wanted("email", "x@shop.example", 0, "both")
        with shop.program.db.begin(two) as tx:
            for forbidden in (methods.remove, methods.arrived, methods.find):
                with pytest.raises(NotFound):
                    forbidden(tx, made.id)
            with pytest.raises(Denied):
                methods.add(tx, "k" * 40, ONE, wanted)
            assert methods.add(tx, "k" * 40, two.ref, wanted).place == 0
        with shop.program.db.begin() as tx:
            with pytest.raises(Invalid, match="no person"):
                methods.add(tx, "k" * 40, "user:default/nobody", wanted)
            for channel, address in [("email", "a b"), ("sms", "123"), ("slack", "#x"), ("x", "y")]:
                with pytest.raises(Invalid):
                    methods.add(tx, "k" * 40, ONE, methods.wanted(channel, address, 0, "both"))


def pages(here: Watched) -> Any:
    with here.program.db.read() as tx:
        return reading.open_pages(tx)


def paged(here: Watched, to: Provider, **address: str) -> tuple[Any, str]:
    """A page to who has the watch, and the link that they were sent."""
    channel, where = next(iter(address.items())) if address else ("webhook", f"{to.url}/hook")
    for person in (MAYA, JONAS):
        give(here, person, channel, where)
    signal = Signal(key="k", source="test", entity="component:default/checkout", summary="It burns")
    with here.program.db.begin() as tx:
        paging.take(tx, signal)
    Paged(here.program, here.folder).work(stepping.DELIVER)
    (page,) = pages(here)
    with here.program.db.read() as tx:
        told = reading.notifications(tx, page.id)[0]
    key = keys.secret_key(here.program.settings)
    token = link_rules.write(key, told.id, page.id, told.person, clock.now())
    return page, f"/acknowledge/{token}"


def test_a_link_says_what_it_does_and_does_it_once(database_url, tmp_path, to):
    text = CATALOG
    with watched(database_url, tmp_path, text, contact_hosts=(to.host,)) as here:
        page, _ = paged(here, to)
        link = re.sub(r"^https?://[^/]+", "", to.asked[0].json["acknowledge_url"])
        looked = here.page(link)
        assert "Acknowledge page 1" in looked
        assert "It burns" in looked
        assert pages(here)[0].state is State.OPEN
        foreign = {**FORM, "origin": "https://evil.example"}
        assert here.portal.ask("POST", link, foreign).status == 403
        answer = here.portal.ask("POST", link, FORM)
        assert answer.status == 200
        assert "You have it." in answer.text
        assert answer.headers["cache-control"] == "no-store"
        (found,) = pages(here)
        assert (found.id, found.state) == (page.id, State.ACKNOWLEDGED)
        assert found.acknowledged_by in (MAYA, JONAS)
        again = here.portal.ask("POST", link, FORM)
        assert "acknowledged already" in again.text
        assert "Acknowledge page 1" not in here.page(link)


def test_a_link_that_was_used_is_too_old_or_is_another_s_does_nothing(database_url, tmp_path, to):
    with company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        give(shop, ONE, "webhook", f"{to.url}/hook")
        page = shop.take()
        shop.work(stepping.DELIVER)
        key = keys.secret_key(shop.program.settings)
        token = to.asked[0].json["acknowledge_url"].rpartition("/")[2]
        assert len(token) == link_rules.LENGTH
        with shop.program.db.begin() as tx:
            for wrong in (
                "",
                "x" * 48,
                token[:-1] + ("A" if token[-1] != "A" else "B"),
                token[:40],
            ):
                with pytest.raises(NotFound):
                    links.use(tx, key, wrong)
            with pytest.raises(NotFound):
                links.use(tx, "another key " * 4, token)
        tomorrow = time_machine.travel(time.time() + 25 * 3600, tick=False)
        with tomorrow, shop.program.db.begin() as tx:
            assert links.look(tx, key, token).expired
            with pytest.raises(Conflict, match="good until"):
                links.use(tx, key, token)
        with shop.program.db.begin() as tx:
            assert links.use(tx, key, token).changed
        shop.step(page)  # nobody's again
        assert shop.page(page).state is State.OPEN
        with shop.program.db.begin() as tx:
            assert not links.look(tx, key, token).usable
            with pytest.raises(Conflict, match="used already"):
                links.use(tx, key, token)
            paging.resolve(tx, page.id, ONE, "cli")
        with shop.program.db.begin() as tx:
            assert not links.use(tx, key, token).changed


def test_links_are_not_guessed(sqlite_url, tmp_path):
    with watched(sqlite_url, tmp_path, trusted_proxies=("127.0.0.1",)) as here:
        one = {**PAGE, "x-forwarded-for": "203.0.113.7"}  # an address that no other test has
        found = [here.portal.get(f"/acknowledge/{n:048d}", one).status for n in range(40)]
        assert set(found) == {404, 429}


def slack_request(token: str, user: str = "U0123ABCD", secret: str = SLACK) -> tuple[dict, str]:
    action = {"action_id": "pilothouse_acknowledge", "value": token}
    payload = {"type": "block_actions", "user": {"id": user, "name": "maya"}, "actions": [action]}
    body = urlencode({"payload": msgspec.json.encode(payload).decode()})
    stamp = str(int(time.time()))
    mac = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    signed = {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mac}"}
    return {**signed, "content-type": "application/x-www-form-urlencoded"}, body


def test_a_button_in_slack_acknowledges_when_slack_signed_it(database_url, tmp_path, to):
    settings = {"slack_token": "xoxb-1", "slack_url": to.url, "slack_signing_secret": SLACK}
    with watched(database_url, tmp_path, **settings) as here:
        to.says((200, {}, b'{"ok":true,"ts":"1.2"}'))
        _, link = paged(here, to, slack="U0123ABCD")
        token = link.rpartition("/")[2]
        headers, body = slack_request(token, secret="another")
        assert here.portal.ask("POST", "/hooks/slack", headers, body).status == 403
        assert pages(here)[0].state is State.OPEN
        headers, body = slack_request(token)
        assert here.portal.ask("POST", "/hooks/slack", headers, body).status == 200
        (page,) = pages(here)
        assert page.state is State.ACKNOWLEDGED
        assert page.acknowledged_by in (MAYA, JONAS)
        assert here.portal.ask("POST", "/hooks/slack", headers, body).status == 200


def test_signs_of_slack_and_twilio_are_those_of_their_documentation():
    from datetime import UTC, datetime

    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
        b"G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fweb"
        b"hook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J"
        b"%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0b"
        b"c887a14d10d2c447fce8b6703c"
    )
    sign = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    headers = {"x-slack-request-timestamp": "1531420618", "x-slack-signature": sign}
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    at = datetime.fromtimestamp(1531420700, UTC)
    assert signs.slack(secret, headers, body, at)
    assert not signs.slack(secret, headers, body + b"x", at)
    assert not signs.slack(secret, headers, body, datetime.fromtimestamp(1531421700, UTC))
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signs.twilio("12345", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", url, form)
    assert not signs.twilio("12346", "RSOYDt4T1cUTdK1PDd93/VVr8B8=", url, form)


def test_a_key_on_the_telephone_acknowledges_when_twilio_signed_it(database_url, tmp_path, to):
    settings = {"twilio_account": "AC1", "twilio_token": TWILIO, "twilio_from": "+15550006789"}
    with watched(database_url, tmp_path, twilio_url=to.url, **settings) as here:
        to.says((201, {}, b'{"sid":"CA1"}'))
        _, link = paged(here, to, voice="+4915123456789")
        path = f"/hooks/twilio/{link.rpartition('/')[2]}"

        def press(digits: str, token: str = TWILIO) -> Any:
            form = {"CallSid": "CA1", "Digits": digits}
            said = here.program.settings.home + path
            said += "".join(f"{name}{form[name]}" for name in sorted(form))
            mac = base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest())
            headers = {**FORM, "x-twilio-signature": mac.decode()}
            return here.portal.ask("POST", path, headers, urlencode(form))

        assert press("1", "another").status == 403
        assert "Not acknowledged" in press("2").text
        assert pages(here)[0].state is State.OPEN
        assert "You have it" in press("1").text
        assert pages(here)[0].state is State.ACKNOWLEDGED
        assert "already" in press("1").text


def test_people_say_on_their_page_how_they_are_reached(database_url, tmp_path, to):
    with watched(database_url, tmp_path, contact_hosts=(to.host,)) as here:
        path = f"/account/contact?person={MAYA}"
        assert "Nobody can be paged here." in here.page(path)
        form = {"channel": "webhook", "address": f"{to.url}/hook/sesame", "after": "5"}
        form |= {"person": MAYA, "urgency": "high"}
        answer = here.portal.ask("POST", "/account/contact", FORM, urlencode(form))
        assert answer.status == 303, answer.text
        wrong = urlencode({**form, "channel": "ntfy", "address": "http://x"})
        refused = here.portal.ask("POST", "/account/contact", FORM, wrong)
        assert refused.status == 400
        assert "not a topic of ntfy" in refused.text
        page = here.page(path)
        assert "5 min after the page" in page
        assert "sesame" not in page
        with here.program.db.read() as tx:
            (made,) = methods.of(tx, [MAYA])[MAYA]
        base = f"/account/contact/{made.id}"
        assert here.portal.ask("POST", f"{base}/test", FORM).status == 303
        assert to.asked[0].json["kind"] == "test"
        assert "Last answer: 200 taken" in here.page(path)
        here.portal.ask("POST", f"{base}/arrived", FORM)
        assert "Arrives" in here.page(path)
        assert here.portal.ask("POST", f"{base}/explode", FORM).status == 404
        here.portal.ask("POST", f"{base}/remove", FORM)
        assert "Nobody can be paged here." in here.page(path)
        assert here.portal.get("/contact-worker.js").headers["content-type"].startswith("text/java")
        assert here.portal.get("/inbox", PAGE).status == 404


def test_methods_are_tried_in_the_order_that_their_person_chose(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path) as shop:
        one, two, three = (give(shop, ONE, "email", f"{n}@x.example").id for n in "abc")

        def move(which: str, by: int) -> list[str]:
            with shop.program.db.begin() as tx:
                methods.move(tx, which, by)
                return [found.id for found in methods.of(tx, [ONE])[ONE]]

        assert move(three, -1) == [one, three, two]
        assert move(one, 1) == [three, one, two]
        assert move(two, 5) == [three, one, two]


def test_who_gets_the_watch_is_told_with_the_note_of_the_one_before(database_url, tmp_path, to):
    with company(database_url, tmp_path, contact_hosts=(to.host,)) as shop:
        give(shop, ONE, "webhook", f"{to.url}/one")
        give(shop, ONE, "webhook", f"{to.url}/two")
        at = clock.now()
        due = handing.Due("schedule:default/shop", "Shop", at, ("user:default/two",), (ONE,))
        with shop.program.db.begin() as tx:
            noticing.shift(tx, due, "The disk is full.", "m1")
            noticing.shift(tx, due, "The disk is full.", "m1")
        to.says((400, {}, b""), (200, {}, b""))
        shop.work(noticing.TELL)
        shop.work(noticing.TELL)
        refused, taken = to.asked
        assert (refused.path, taken.path) == ("/one", "/two")
        assert taken.json["title"] == "You have the watch of Shop"
        assert "The disk is full." in taken.json["body"]
        assert refused.json["dedup_key"] == taken.json["dedup_key"] == "shift-m1-0"
        assert not shop.planned(noticing.TELL)


def test_the_demo_shows_its_messages_and_their_links(database_url, tmp_path, to):
    with watched(database_url, tmp_path, inbox=True) as here:
        _, _ = paged(here, to, inbox="inbox")
        page = here.page("/inbox")
        assert "It burns" in page
        link = re.search(r'href="(/acknowledge/[^"]+)"', page)
        assert link
        assert "Acknowledge page 1" in here.page(link[1])
        with here.program.db.read() as tx:
            from pilothouse.oncall.service.inbox import INBOXED

            found = tx.conn.exec_driver_sql(f"SELECT data FROM events WHERE type = '{INBOXED}'")
            assert link[1] not in str(found.all())


def test_everybody_at_the_demo_s_company_has_the_inbox(sqlite_url, tmp_path):
    with company(sqlite_url, tmp_path, inbox=True) as shop:
        give(shop, ONE, "email", "one@x.example")
        for _ in range(2):
            with shop.program.db.begin() as tx:
                methods.give_inboxes(tx, keys.secret_key(shop.program.settings))
        with shop.program.db.read() as tx:
            found = methods.of(tx, [ONE, "user:default/two"])
        assert [one.channel for ones in found.values() for one in ones] == ["email", "inbox"]


def test_the_command_line_gives_first_methods(sqlite_url, tmp_path, capsys, to):
    from cyclopts import App

    from pilothouse.oncall import commands

    with company(sqlite_url, tmp_path, contact_hosts=(to.host,)) as shop:
        cli = App(name="pilothouse")
        commands.register(cli, lambda **_: shop.program)

        def run(*words: str) -> tuple[int, str]:
            asked = ["oncall", "method", *words]
            code = cli(asked, result_action="return_value", exit_on_error=False)
            said = capsys.readouterr()
            return code, said.out + said.err

        capsys.readouterr()
        assert run("list", "one") == (1, "")
        said = run("add", "--person", "one", "--email", "o@x.example", "--webhook", f"{to.url}/h")
        assert re.fullmatch(r"\w+ email o…@x\.example\n\w+ webhook https://127\S+\n", said[1])
        ids = [line.split()[0] for line in run("list", "one")[1].splitlines()]
        assert run("test", ids[1]) == (0, "200 taken\n")
        assert run("test", ids[0])[0] == 1
        assert "removed" in run("remove", ids[0])[1]
        with pytest.raises(Invalid, match="say how"):
            run("add", "--person", "one")


def test_the_heartbeat_out_is_a_job_that_nothing_stops(sqlite_url, tmp_path, to):
    with company(sqlite_url, tmp_path, deadman_url=f"{to.url}/ping") as shop:
        kind = shop.program.job_kinds["oncall.deadman"]
        assert kind.every is not None
        with shop.program.db.begin() as tx:
            tx.enqueue("oncall.deadman")
        shop.work("oncall.deadman")
        assert [asked.method for asked in to.asked] == ["GET"]
