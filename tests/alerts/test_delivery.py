"""Whoever is to hear of an alert hears of it: once, in order, however often it was said."""

from __future__ import annotations

import hashlib
import hmac
import logging
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import msgspec
import pytest
import time_machine
from tests.alerts.listening import PAY, mail, telling, web
from tests.servers import LOOPBACK, free_port, wait_until

from pilothouse.kernel.alerts import jobs, rules, service
from pilothouse.kernel.alerts.model import CLEARED, RAISED, Alert
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.events import Event
from pilothouse.kernel.jobs import store
from pilothouse.kernel.settings import load


def changed(**fields: str) -> Alert:
    return msgspec.structs.replace(PAY, **fields)


def test_a_webhook_is_told_that_something_is_in_trouble_and_that_it_is_over(database_url):
    with (
        web() as heard,
        telling(database_url, alert_webhook=heard.url, public_url="https://p.example") as to,
    ):
        to.raised()
        to.settle()
        to.cleared(changed(summary="Checkout works again"))
        to.settle()
    first, last = heard.bodies()
    assert first["state"] == "raised"
    assert first["summary"] == PAY.summary
    assert first["key"] == PAY.key
    assert first["url"] == "https://p.example/checks/default/pay"
    assert first["urgency"] == "high"
    assert last["state"] == "cleared"
    assert last["summary"] == "Checkout works again"
    assert last["since"] == first["since"]
    keys = {headers["Pilothouse-Key"] for _, headers, _ in heard.got}
    assert keys == {rules.digest(PAY.key)}
    deliveries = [headers["Pilothouse-Delivery"] for _, headers, _ in heard.got]
    assert deliveries == [first["delivery"], last["delivery"]]
    assert len(set(deliveries)) == 2


def test_what_was_said_already_is_not_told_again(database_url):
    with web() as heard, telling(database_url, alert_webhook=heard.url) as to:
        to.raised()
        to.settle()
        to.raised()
        to.raised()
        to.settle()
        assert len(heard.got) == 1
        to.raised(changed(detail="answered 503"))
        to.settle()
        to.cleared()
        to.cleared()
        to.settle()
        to.cleared(changed(key="checks:check:default/other"))  # nobody heard of that one
        to.settle()
    assert [one["detail"] for one in heard.bodies()] == [
        "answered 502",
        "answered 503",
        "answered 502",
    ]


def test_a_webhook_is_signed_with_the_time(database_url):
    with (
        web() as heard,
        telling(database_url, alert_webhook=heard.url, alert_webhook_secret="between us") as to,
    ):
        to.raised()
        to.settle()
    _, headers, body = heard.got[0]
    stamp, _, mac = headers["Pilothouse-Signature"].partition(",v1=")
    signed = f"{stamp.removeprefix('t=')}.".encode() + body
    assert mac == hmac.new(b"between us", signed, hashlib.sha256).hexdigest()


def test_a_webhook_that_fails_is_told_later_and_the_newest_only(database_url):
    with web() as heard, telling(database_url, alert_webhook=heard.url) as to:
        heard.answers = [(503, {"Retry-After": "1"}), (204, {})]
        to.raised()
        assert wait_until(lambda: any(error for _, error in to.left()))
        told = to.open()[0].told[0]
        assert (told.fine, told.answer, told.version) == (False, "answered 503", 0)
        with to.program.db.read() as tx:
            headline = service.headline(tx)
        assert headline is not None
        assert "webhook" in headline.text
        to.cleared(changed(summary="Over"))
        to.settle()
    states = [one["state"] for one in heard.bodies()]
    assert states in (["raised", "cleared"], ["raised", "raised", "cleared"])
    assert to.open() == []


def test_a_retry_after_is_honoured(sqlite_url):
    with web() as heard, telling(sqlite_url, alert_webhook=heard.url) as to:
        heard.answers = [(429, {"Retry-After": "300"})]
        to.raised()
        assert wait_until(lambda: any(error for _, error in to.left()))
        with to.program.db.read() as tx:
            due = tx.conn.exec_driver_sql(
                "SELECT due_at FROM jobs WHERE kind = 'alerts.deliver'"
            ).scalar_one()
            now = tx.now
        wait = (
            store.jobs.c.due_at.type.process_result_value(
                __import__("datetime").datetime.fromisoformat(due), None
            )
            - now
        ).total_seconds()
        assert 280 < wait <= 300


@pytest.mark.parametrize(
    "address",
    ["http://192.0.2.7/hook", "https://169.254.169.254/latest", "http://example.com/hook"],
)
def test_an_address_that_is_not_asked_is_given_up_at_once_and_said(sqlite_url, address):
    with telling(sqlite_url, alert_webhook=address) as to:
        to.raised()

        def dead() -> bool:
            with to.program.db.read() as tx:
                return bool(store.dead_letters(tx.conn))

        if "example.com" in address:
            assert wait_until(lambda: any(error for _, error in to.left()))  # its name is not known
        else:
            assert wait_until(dead)
        assert not to.open()[0].told[0].fine


def test_mails_about_one_trouble_stand_together(database_url):
    with mail() as (letters, port):
        address = f"mailto://{LOOPBACK}:{port}?from=pilot@shop.example&to=watch@shop.example"
        with telling(database_url, alert_urls=(address,)) as to:
            to.raised()
            to.settle()
            to.cleared(changed(summary="Checkout works again"))
            to.settle()
            assert to.open() == []
    assert len(letters.got) == 2
    first, last = (message_from_bytes(one.content) for one in letters.got)
    assert first["Subject"] == PAY.summary
    assert last["Subject"] == "Over: Checkout works again"
    assert first["References"] == last["References"]
    assert first["X-Pilothouse-Key"] == rules.digest(PAY.key)
    assert first["X-Pilothouse-Delivery"] != last["X-Pilothouse-Delivery"]


def test_what_an_address_holds_is_neither_shown_nor_logged(sqlite_url, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    port = free_port()
    urls = (
        f"mailto://maya:hunter2hunter2@{LOOPBACK}:{port}?from=m@shop.example&to=a@shop.example",
        f"gotify://{LOOPBACK}:{port}/Tok3nOfOurs",
    )
    with telling(sqlite_url, alert_urls=urls) as to:
        to.raised()
        assert wait_until(
            lambda: len([1 for kind, error in to.left() if error and kind == service.DELIVER]) == 2
        )
        said = [f"{one.name} {one.answer}" for one in to.open()[0].told]
        errors = [error or "" for _, error in to.left()]
    assert {one.split()[0] for one in said} == {"mailto", "gotify"}
    written = " ".join([*said, *errors, *capfd.readouterr(), caplog.text])
    for secret in ("hunter2", "Tok3nOfOurs"):
        assert secret not in written


def test_an_address_of_an_unknown_kind_is_refused_at_the_start():
    with pytest.raises(Invalid, match="exec://"):
        load(environ={"PILOTHOUSE_ALERT_URLS": "exec://rm"})
    with pytest.raises(Invalid, match="no scheme"):
        load(environ={"PILOTHOUSE_ALERT_URLS": "slack"})
    found = load(environ={"PILOTHOUSE_ALERT_URLS": "slack://a/b/c slack://d/e/f tgram://g/h"})
    assert [one.name for one in jobs.destinations(found)] == ["slack 1", "slack 2", "tgram"]


def test_events_out_of_order_leave_what_the_newest_said(database_url):
    with telling(database_url) as to:
        to.raised()
        to.settle()
        old = Event(type=RAISED, data=msgspec.to_builtins(changed(detail="old")), id="0" * 32)
        with to.program.db.begin() as tx:
            assert not service.take(tx, old, ())
        assert to.open()[0].standing.alert == PAY


def test_a_replica_whose_clock_is_behind_is_heard_in_its_turn(database_url):
    """The id of an event is made by the clock of who says it; the number is not."""
    with telling(database_url) as to:
        to.raised()
        with time_machine.travel(datetime.now(UTC) - timedelta(hours=1)):
            to.cleared(changed(summary="Over"))
        to.settle()
        assert to.open() == []


def test_what_is_said_again_is_newer_than_what_comes_late(database_url):
    with telling(database_url) as to:
        to.raised()
        to.settle()
        number = 2**60
        for late, kind in ((0, RAISED), (1, CLEARED)):
            data = msgspec.to_builtins(PAY) | {"number": number - late}
            with to.program.db.begin() as tx:
                assert not service.take(tx, Event(type=kind, data=data), ())
        assert len(to.open()) == 1


def test_the_panel_says_that_nobody_is_told(database_url):
    with telling(database_url) as to:
        to.raised()
        to.settle()
        assert to.open()[0].told == []


def test_what_is_long_over_is_forgotten(database_url):
    with telling(database_url) as to:
        to.raised()
        to.settle()
        to.cleared()
        to.settle()
        with to.program.db.begin() as tx:
            assert jobs.store.forget(tx.conn, tx.now - service.KEPT) == 0
            assert jobs.store.forget(tx.conn, tx.now) == 1


def test_now_shows_what_is_open_the_urgent_first_and_who_was_told(database_url, tmp_path):
    from tests.kernel.portal import PAGE, serving

    from pilothouse.kernel.alerts.model import Told
    from pilothouse.kernel.alerts.module import module

    with serving(database_url, [module], data=str(tmp_path)) as portal:
        db = portal.program.db
        calm = changed(key="other", urgency="low", summary="<b>Disk</b> fills up")
        for alert in (PAY, calm):
            with db.begin() as tx:
                event = Event(type=RAISED, data=msgspec.to_builtins(alert))
                service.take(tx, event, jobs.rules.destinations("https://x.example", ()))
        with db.begin() as tx:
            answer = Told(key=PAY.key, destination="webhook", name="webhook", at=tx.now)
            answer = msgspec.structs.replace(answer, fine=False, answer="answered 500")
            jobs.store.tell(tx.conn, answer)
        text = portal.get("/", PAGE).text
    assert text.index(PAY.summary) < text.index("&lt;b&gt;Disk")
    assert "webhook was not told" in text
    assert "answered 500" in text
    assert "Alerts do not reach webhook" in text
    assert "Webhook is being told" in text
