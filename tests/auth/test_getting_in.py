"""Trying to get in, or to make others do what they did not mean to."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from structlog.testing import capture_logs
from tests.auth.browsing import Browser, add, bearer, portal, token
from tests.kernel.portal import PAGE

from pilothouse.kernel.auth.rules import same_site
from pilothouse.kernel.auth.service import auditing
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.settings import Settings
from pilothouse.kernel.web.access import require_sign_in
from pilothouse.kernel.web.arriving import Networks
from pilothouse.kernel.web.limits import Buckets, Folding

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ELSEWHERE = [
    "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example",
    "https:evil.example", "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example",
    "///evil.example", "evil.example", "/login", "/logout", "/login/company", "", "/" + "a" * 3000,
    "/%0d%0aSet-Cookie:x", " //evil.example", "http:/evil.example", "/\x00", "/\x7f", "/a b",
]  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_nowhere_else(browser, target):
    """A percent-encoded line end stays one, so that path may be gone to; all others lead home."""
    answer = browser.sign_in("viewer", target=target)
    assert answer.headers["location"] == (target if target.startswith("/%0d") else "/")
    assert answer.headers["location"] == same_site(target)
    assert "Set-Cookie:x" not in str(answer.headers.keys())


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_who_is_signed_in_is_not_sent_elsewhere_either(browser, target):
    browser.sign_in("viewer")
    assert browser.get(f"/login?next={quote(target)}").headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_post_for_someone(running, browser, headers):
    browser.sign_in("viewer")
    sent = {**FORM, "Cookie": f"session={browser.session}", **headers}
    for path in ("/account/sessions/all/end", "/account/tokens", "/logout", "/login"):
        assert running.ask("POST", path, sent, "name=x&scope=read&days=1").status == 403
    assert browser.get("/account").status == 200


def test_a_cookie_alone_does_nothing_that_changes_something(running, browser):
    """A browser says where a form is from; what does not say it is no browser of today."""
    browser.sign_in("viewer")
    cookie = {**FORM, "Cookie": f"session={browser.session}"}
    assert running.ask("POST", "/account/sessions/all/end", cookie).status == 401
    assert browser.get("/account").status == 200
    own = {**cookie, "Sec-Fetch-Site": "same-origin"}
    assert running.ask("POST", "/account/sessions/all/end", own).status == 303


@pytest.mark.parametrize(
    "where",
    [
        "/catalog?token={}",
        "/catalog?q={}",
        "/catalog?q=a%26{}",
        "/catalog/component/default/{}",
        "/{}",
        "/live?a=b&{}",
    ],
)
def test_a_token_in_an_address_is_refused_and_not_written_down(running, where):
    secret = token(running.program, "viewer", "read")
    with capture_logs() as logged:
        answer = running.get(where.format(secret), PAGE)
        encoded = running.get(where.format(secret.replace("ph_", "%70h_")), PAGE)
    assert (answer.status, encoded.status) == (400, 400)
    assert "Revoke that token" in answer.text
    assert secret not in answer.text
    assert secret not in str(logged)


def test_a_token_is_taken_from_its_header_only(running):
    secret = token(running.program, "viewer", "read")
    assert running.get("/catalog", bearer(secret)).status == 200
    assert running.get("/catalog", {"Authorization": f"bearer {secret}"}).status == 200
    for headers in (
        {"Authorization": secret},
        {"Authorization": f"Basic {secret}"},
        {"X-Api-Key": secret},
        {"Cookie": f"session={secret}"},
        bearer(f"{secret}x"),
        bearer(secret[:-1]),
        bearer(""),
    ):
        assert running.get("/catalog", headers).status == 401, headers


def test_a_token_opens_nobodys_account_and_makes_no_tokens(running):
    secret = token(running.program, "admin", "admin")
    assert running.get("/audit", bearer(secret)).status == 200
    body = urlencode({"name": "more", "scope": "admin", "days": "9"})
    for path in ("/account/tokens", "/account/sessions/all/end", "/account/password"):
        assert running.ask("POST", path, {**FORM, **bearer(secret)}, body).status == 403


@pytest.mark.parametrize("form", ["next=%00", "name=%FF", "a=1&a=2", "name=x&name=y", "%", "=&=&"])
def test_a_form_that_makes_no_sense_is_not_our_fault(browser, form):
    assert browser.ask("POST", "/login", form).status in (400, 401)


@pytest.mark.parametrize("body", ["name=a&scope=nothing&days=1", "name=&scope=read&days=1"])
def test_a_token_that_cannot_be_made_says_why_and_keeps_what_was_typed(browser, body):
    browser.sign_in("viewer")
    page = browser.ask("POST", "/account/tokens", body)
    assert page.status == 400
    assert "No token was made" in page.text
    many = browser.post("/account/tokens", name="kept words", scope="read", days="9999")
    assert 'value="kept words"' in many.text


def test_a_viewer_makes_no_admins_token(browser):
    browser.sign_in("viewer")
    page = browser.post("/account/tokens", name="x", scope="admin", days="9")
    assert page.status == 400
    assert "needs someone who is admin" in page.text


def test_what_people_are_called_is_text(running, browser):
    browser.agent = "<script>alert(1)</script>"
    browser.sign_in("viewer")
    made = browser.post("/account/tokens", name="<img src=x onerror=alert(1)>", scope="read", days="9")  # noqa: E501  # fmt: skip
    for page in (made.text, browser.get("/account").text):
        assert "<script>alert" not in page
        assert "<img" not in page
    admin = Browser.of(running)
    admin.sign_in("admin")
    assert "<img" not in admin.get("/audit").text


def test_one_address_tries_so_often_and_then_waits(sqlite_url):
    with portal(sqlite_url) as running:
        add(running.program, "viewer")
        browser = Browser.of(running)
        first, *others = [browser.sign_in("viewer", "wrong") for _ in range(16)]
        assert first.status == 401
        refused = next(one for one in others if "retry-after" in one.headers)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert browser.get("/login").status == 200


def test_a_forwarded_address_is_believed_from_our_proxies_only(sqlite_url):
    def tried(running):
        browser = Browser.of(running)
        forms = [(f"name=n{n}", {"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(16)]
        return [browser.ask("POST", "/login", body, headers).status for body, headers in forms]

    with portal(sqlite_url) as running:
        assert 429 in tried(running)
    with portal(sqlite_url, trusted_proxies=("127.0.0.0/8",)) as running:
        assert set(tried(running)) == {401}


@pytest.mark.parametrize(
    ("peer", "forwarded", "origin"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "not an address", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, junk", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.7", "10.0.0.7"),
    ],
)
def test_the_origin_is_the_last_address_that_no_proxy_of_ours_wrote(peer, forwarded, origin):
    assert Networks(("10.0.0.0/8",)).origin(peer, forwarded) == origin


def test_proxies_that_are_no_addresses_are_refused():
    with pytest.raises(Invalid, match="trusted_proxies"):
        Networks(("somewhere",))


def test_failures_of_one_address_are_told_less_and_less_and_counted():
    folding = Folding(each=(1 / 60, 2), together=(1, 5))
    assert [folding.told("a", 0.0) for _ in range(5)] == [0, 0, None, None, None]
    assert folding.told("b", 0.0) == 0
    assert [folding.told("a", 61.0), folding.told("a", 61.0)] == [3, None]
    assert folding.told("a", 122.0) == 1
    assert [folding.told(f"{number}", 122.0) for number in range(9)].count(0) == 4  # of all


def test_who_tries_and_tries_does_not_fill_the_journal(running, browser):
    for _ in range(14):
        assert browser.sign_in("viewer", "the quick brown badger").status == 401
    with running.program.db.read() as tx:
        assert len(auditing.deeds(tx, ["auth.sign_in_failed"], None, 50)) == 10


def test_a_bucket_fills_again_and_forgets_who_asked_longest_ago():
    bucket = Buckets(rate=1, burst=2, most=2)
    assert [bucket.wait("a", 0) for _ in range(3)] == [0, 0, 1]
    assert bucket.wait("a", 0.5) == 0.5
    assert bucket.wait("a", 1.5) == 0
    for key in "bcdefgh":
        bucket.wait(key, 2)
    assert len(bucket) == 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "0.0.0.0"}, "without sign-in everybody"),
        ({"host": "::"}, "without sign-in everybody"),
        ({"host": "192.0.2.1", "public_url": "https://portal.example"}, "pilothouse user add"),
        ({"public_url": "https://portal.example"}, "public_url names 'portal.example'"),
        ({"host": "0.0.0.0", "local_users": True}, "needs public_url"),
    ],
)
def test_it_does_not_start_where_others_would_be_its_admins(settings, words):
    with pytest.raises(Invalid, match=words):
        require_sign_in(Settings(**settings))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"public_url": "http://localhost:8400"},
        {"host": "0.0.0.0", "local_users": True, "public_url": "https://portal.example"},
    ],
)
def test_it_starts_on_this_machine_and_with_sign_in_elsewhere(settings):
    require_sign_in(Settings(**settings))
