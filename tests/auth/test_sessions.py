"""Sessions: signing in and out, how long they last, that nobody else's can be used."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from tests.auth.browsing import PASSWORD, Browser, add, portal
from tests.system.http import listening

from pilothouse.kernel import clock
from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import store
from pilothouse.kernel.auth.formats import digest
from pilothouse.kernel.auth.service import auditing, people, staying


def deeds(running, *types):
    with running.program.db.read() as tx:
        return [(one.type, one.actor) for one in auditing.deeds(tx, types, None, 50)]


def later(**away):
    return time_machine.travel(clock.now() + timedelta(**away), tick=True)


def test_a_page_leads_to_sign_in_and_from_there_back(browser):
    away = browser.get("/catalog?kind=api")
    assert away.status == 303
    assert away.headers["location"] == "/login?next=%2Fcatalog%3Fkind%3Dapi"
    assert "With a name and a password" in browser.get(away.headers["location"]).text
    back = browser.sign_in("viewer", target="/catalog?kind=api")
    assert (back.status, back.headers["location"]) == (303, "/catalog?kind=api")
    page = browser.get("/catalog?kind=api")
    assert page.status == 200
    assert ">Viewer</a>" in page.text
    assert "Sign out" in page.text


def test_a_program_is_told_that_it_has_to_sign_in(running):
    answer = running.get("/api/catalog/entities")
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="pilothouse"'


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(running):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://127.0.0.1/catalog?q=a"}
    answer = running.get("/catalog?q=a", headers)
    assert answer.status == 401
    assert answer.headers["hx-redirect"] == "/login?next=%2Fcatalog%3Fq%3Da"


@pytest.mark.parametrize(
    ("name", "password"),
    [("viewer", "the quick brown badger"), ("nobody", PASSWORD), ("", ""), ("viewer", "")],
)
def test_a_wrong_password_is_told_alike_whether_the_name_is_known_or_not(
    running, browser, name, password
):
    refused = browser.sign_in(name, password)
    assert refused.status == 401
    assert "That name and that password do not belong together." in refused.text
    assert browser.session is None
    assert deeds(running, "auth.sign_in_failed")


def test_what_was_typed_as_a_name_is_not_kept_when_nobody_is_called_so(running, browser):
    browser.sign_in("my secret password", "x")
    with running.program.db.read() as tx:
        [deed] = auditing.deeds(tx, ["auth.sign_in_failed"], None, 9)
    assert deed.data["person"] == "an unknown name"
    assert "secret" not in str(deed)


def test_signing_in_begins_a_new_session_whatever_the_browser_showed(running, browser):
    browser.session = "planted-by-someone-who-knows-it"
    browser.sign_in("viewer")
    first = browser.session
    assert first not in (None, "planted-by-someone-who-knows-it")
    assert browser.get("/account").status == 200
    browser.sign_in("viewer")
    assert browser.session != first
    stale = Browser.of(running)
    stale.session = first
    assert stale.get("/account").status == 303


def test_only_a_digest_of_a_session_is_kept(running, browser):
    browser.sign_in("viewer")
    with running.program.db.read() as tx:
        rows = str(tx.conn.execute(store.tables.sessions.select()).all())
    assert browser.session not in rows
    assert digest(browser.session) in rows


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser):
    cookie = browser.sign_in("viewer").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_behind_tls_cookies_are_of_this_host_and_secure(sqlite_url):
    with portal(sqlite_url, public_url="https://portal.example") as running:
        add(running.program, "viewer")
        headers = {
            "Origin": "https://portal.example",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = urlencode({"name": "viewer", "password": PASSWORD})
        answer = running.ask("POST", "/login", headers, body)
        assert answer.headers["set-cookie"].startswith("__Host-")
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_session_ends_after_time_without_use(browser):
    browser.sign_in("viewer")
    with later(hours=11):
        assert browser.get("/account").status == 200
    with later(hours=22):
        assert browser.get("/account").status == 200
    with later(hours=35):
        assert browser.get("/account").status == 303


def test_a_session_that_is_used_ends_by_its_age(browser):
    browser.sign_in("viewer")
    for hours in range(8, 7 * 24, 8):
        with later(hours=hours):
            assert browser.get("/account").status == 200
    with later(hours=7 * 24 + 1):
        assert browser.get("/account").status == 303


def test_last_used_is_written_at_most_once_a_minute(running, browser):
    browser.sign_in("viewer")

    def seen():
        with running.program.db.read() as tx:
            person = people.local_user(tx, "viewer")
            return staying.sessions(tx, person, timedelta(hours=12))[0].seen_at

    first = seen()
    with later(seconds=50):
        browser.get("/account")
        assert seen() == first
    with later(seconds=70):
        browser.get("/account")
        assert seen() > first


def test_signing_out_ends_the_session_itself_not_only_the_cookie(running, browser):
    browser.sign_in("viewer")
    secret = browser.session
    assert browser.post("/logout").headers["location"] == "/login"
    assert browser.session is None
    thief = Browser.of(running)
    thief.session = secret
    assert thief.get("/account").status == 303
    assert deeds(running, "auth.signed_out")


def test_signing_out_everywhere_ends_all_of_ones_sessions_and_nobody_elses(running, browser):
    other, someone = Browser.of(running), Browser.of(running)
    for one, name in ((browser, "viewer"), (other, "viewer"), (someone, "editor")):
        one.sign_in(name)
    assert browser.post("/account/sessions/all/end").status == 303
    assert other.get("/account").status == 303
    assert browser.get("/account").status == 303
    assert someone.get("/account").status == 200


def test_one_of_ones_sessions_can_be_ended_and_not_someone_elses(running, browser):
    other = Browser.of(running)
    other.agent = "Elsewhere/2"
    browser.sign_in("viewer")
    other.sign_in("editor")
    with running.program.db.read() as tx:
        editor = people.local_user(tx, "editor")
        [session] = staying.sessions(tx, editor, timedelta(hours=12))
    refused = browser.post(f"/account/sessions/{session.id}/end")
    assert refused.status == 404
    assert other.get("/account").status == 200
    assert "Elsewhere/2" in other.get("/account").text
    assert other.post(f"/account/sessions/{session.id}/end").status == 303
    assert other.get("/account").status == 303


def test_a_removed_user_is_out_at_once(running, browser):
    browser.sign_in("viewer")
    with running.program.db.begin() as tx:
        people.remove_local(tx, "viewer")
    assert browser.get("/account").status == 303
    assert browser.sign_in("viewer").status == 401


def test_changing_ones_password_needs_the_old_one_and_ends_other_sessions(running, browser):
    other = Browser.of(running)
    browser.sign_in("viewer")
    other.sign_in("viewer")
    wrong = browser.post("/account/password", old="not the one", new="a good long password")
    assert wrong.status == 400
    assert "The old password is another one" in wrong.text
    short = browser.post("/account/password", old=PASSWORD, new="short")
    assert "at least 12 characters" in short.text
    assert browser.post("/account/password", old=PASSWORD, new="a good long one").status == 303
    assert browser.get("/account").status == 200
    assert other.get("/account").status == 303
    assert Browser.of(running).sign_in("viewer", "a good long one").status == 303


def test_users_of_passwords_are_out_when_passwords_are_switched_off(sqlite_url):
    with portal(sqlite_url) as running:
        add(running.program, "viewer")
        browser = Browser.of(running)
        browser.sign_in("viewer")
        secret = browser.session
    with portal(sqlite_url, local_users=False, sign_in=(elsewhere(),)) as running:
        browser = Browser.of(running)
        browser.session = secret
        assert browser.get("/account").status == 303
        assert browser.sign_in("viewer").status == 403


def elsewhere():
    from pilothouse.kernel.auth.model import Provider

    return Provider(name="elsewhere", issuer="https://login.example", client_id="pilothouse")


def test_the_live_stream_ends_with_the_session(running, browser):
    browser.sign_in("viewer")
    with listening(running.port, cookie=f"session={browser.session}") as client:
        browser.post("/account/sessions/all/end")
        client.settimeout(15)
        received = b""
        while not received.endswith(b"0\r\n\r\n"):  # the last chunk of the stream
            received += client.recv(4096)
    assert b"auth." not in received


def test_those_who_are_not_signed_in_read_where_the_settings_let_them(sqlite_url):
    with portal(sqlite_url, anonymous="viewer") as running:
        browser = Browser.of(running)
        page = browser.get("/catalog")
        assert page.status == 200
        assert 'href="/login?next=%2Fcatalog"' in page.text.replace("next=/", "next=%2F")
        assert browser.get("/audit").headers["location"].startswith("/login?")
        assert running.get("/audit").status == 401
        assert running.get("/catalog", {"Authorization": "Bearer ph_x"}).status == 401


def test_without_sign_in_this_machine_is_admin_and_no_cookie_is_looked_up(sqlite_url):
    with portal(sqlite_url, local_users=False) as running:
        page = running.get("/", {"Accept": "text/html", "Cookie": "session=whatever"})
        assert "anyone on this machine is" in page.text
        assert running.get("/audit").status == 200
        assert running.get("/login").status == 303


def test_no_password_and_no_secret_is_in_the_journal(running, browser):
    browser.sign_in("admin")
    made = browser.post("/account/tokens", name="ci", scope="read", days="9")
    secret = made.text.partition("<code>ph_")[2].partition("</code>")[0]
    assert len(secret) == 43
    from pilothouse.kernel.events import events

    with running.program.db.read() as tx:
        told = str(tx.conn.execute(events.select()).all())
    for kept in (secret, PASSWORD, browser.session):
        assert kept not in told


def test_the_audit_tells_who_did_what_to_admins_only(browser):
    browser.sign_in("viewer")
    assert browser.get("/audit").status == 403
    browser.sign_in("admin")
    page = browser.get("/audit")
    assert page.status == 200
    assert "signed in" in page.text
    assert "local:viewer" in page.text
    only = browser.get("/audit?type=auth.user_added").text
    assert "added the user" in only
    assert "signed in</td>" not in only
    assert browser.get("/audit?type=what").status == 400
    assert browser.get("/audit?before=yesterday").status == 400
    assert "Nothing was done" not in browser.get("/audit?before=2000-01-01").text


def test_a_role_is_enough_for_what_it_is_for(running):
    statuses = {}
    for role in Role:
        if role:
            one = Browser.of(running)
            one.sign_in(role.name.lower())
            statuses[role.name] = one.post("/jobs/1/retry").status
    assert statuses == {"VIEWER": 403, "RESPONDER": 403, "EDITOR": 403, "ADMIN": 404}
