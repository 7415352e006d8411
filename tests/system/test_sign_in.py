"""Signing in with a real OpenID Connect provider, oidc-provider from npm."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import msgspec
import pytest
from tests.auth.browsing import Browser, generous, token
from tests.auth.browsing import portal as serving
from tests.kernel.portal import Portal
from tests.servers import dies_with_us, free_port, wait_until
from tests.system.test_backstage_client import install, node

from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth import store
from pilothouse.kernel.auth.model import Provider
from pilothouse.kernel.auth.outside import oidc
from pilothouse.kernel.auth.service import auditing, people, tokens

HERE = Path(__file__).parent / "oidc"
SECRET = "a secret & of: tests, only"


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder with the provider's npm packages, kept beside other caches by their lock."""
    program, npm = node()
    lock = b"".join((HERE / name).read_bytes() for name in ("package.json", "package-lock.json"))
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = caches / "pilothouse-tests" / f"oidc-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not (place / "installed").exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            fresh = Path(folder) / "provider"
            shutil.copytree(HERE, fresh, ignore=shutil.ignore_patterns("node_modules"))
            install(program, npm, fresh)
            (fresh / "installed").touch()
            if not place.exists():
                fresh.rename(place)
    (place / "provider.mjs").write_bytes((HERE / "provider.mjs").read_bytes())
    return place


@dataclass(frozen=True, slots=True)
class Company:
    """A portal and the provider that its people sign in with."""

    portal: Portal
    issuer: str

    def tell(self, **control: str) -> None:
        with urlopen(f"{self.issuer}/control?{urlencode(control)}") as answer:
            assert answer.read() == b"ok"

    def people(self) -> list[str]:
        with self.portal.program.db.read() as tx:
            return [one.name for one in store.people.all_people(tx.conn, "company")]


@contextmanager
def provider_running(packages: Path, portal_port: int) -> Iterator[str]:
    program, _ = node()
    port = free_port()
    redirect = f"http://127.0.0.1:{portal_port}/login/company/callback"
    command = dies_with_us(program, str(packages / "provider.mjs"), str(port), redirect)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"listening" in line:
                break
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.fixture
def company(packages: Path, database_url: str, tmp_path: Path) -> Iterator[Company]:
    port = free_port()
    with generous(), provider_running(packages, port) as issuer:
        provider = Provider(
            name="company",
            title="The company",
            issuer=issuer,
            client_id="pilothouse",
            client_secret=SECRET,
            roles={"platform": "admin"},
            parameters={"prompt": "consent"},
        )
        settings = {
            "sign_in": (provider,),
            "sign_in_recheck": 1,
            "data": str(tmp_path / "data"),
            "port": port,
        }
        with serving(database_url, **settings) as portal:
            worker = portal.program.worker()
            thread = threading.Thread(target=worker.run)
            thread.start()
            yield Company(portal, issuer)
            worker.stop()
            thread.join()


def sign_in(company: Company, target: str = "/account") -> tuple[Browser, str, str]:
    """A browser that went there and back, and the page it ended on."""
    browser = Browser.of(company.portal)
    url, answer = browser.follow(f"/login/company?{urlencode({'next': target})}")
    return browser, url, answer.text


def test_someone_goes_to_the_provider_and_comes_back_signed_in(company: Company) -> None:
    browser, url, page = sign_in(company, "/account?from=there")
    assert url == f"{browser.home}/account?from=there"
    assert "<h1>Maya Example</h1>" in page
    assert "Signs in with The company" in page
    assert "maya@example.org" in page
    assert "group:default/payments" in page
    with company.portal.program.db.read() as tx:
        [found] = store.people.all_people(tx.conn, "company")
        kept = people.refresh_of(tx, found)
    assert kept
    assert found.role == Role.VIEWER
    key = Path(company.portal.program.settings.data) / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text() not in kept


def test_the_request_carries_pkce_state_and_nonce_and_no_secret(company: Company) -> None:
    browser = Browser.of(company.portal)
    away = browser.get("/login/company")
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert asked["state"] != asked["nonce"]
    assert asked["response_type"] == ["code"]
    assert asked["scope"] == ["openid profile email offline_access"]
    assert SECRET not in away.headers["location"]
    again = parse_qs(urlsplit(browser.get("/login/company").headers["location"]).query)
    for name in ("state", "nonce", "code_challenge"):
        assert again[name] != asked[name]


def back_from(browser: Browser) -> str:
    """The address at the portal that the provider sends this browser to."""
    url = browser.get("/login/company").headers["location"]
    for _ in range(9):
        answer = browser.get(url)
        url = answer.headers["location"]
        if not url.startswith("http"):
            parts = urlsplit(browser.home)
            url = f"{parts.scheme}://{_provider_of(browser)}{url}"
        if "/callback?" in url:
            return url
    raise AssertionError(url)


def _provider_of(browser: Browser) -> str:
    return next(netloc for netloc in browser.cookies if netloc != urlsplit(browser.home).netloc)


def test_the_way_back_works_once_and_in_the_same_browser_only(company: Company) -> None:
    browser, victim = Browser.of(company.portal), Browser.of(company.portal)
    url = back_from(browser)
    assert "iss=" in url
    forced = victim.get(url)  # login CSRF: an attacker's code in someone else's browser
    assert forced.status == 403
    assert victim.session is None
    kept = dict(browser.cookies[urlsplit(browser.home).netloc])
    assert browser.get(url).status == 303
    assert browser.session
    replayed = Browser.of(company.portal)
    replayed.cookies[urlsplit(browser.home).netloc] = kept
    assert replayed.get(url).status == 403
    assert "used already" in replayed.get(url).text
    assert replayed.session is None


def test_an_answer_of_another_issuer_or_with_another_code_is_refused(company: Company) -> None:
    for change in (
        lambda url: url.replace("iss=", "iss=https%3A%2F%2Fevil.example%2F&was="),
        lambda url: url.replace("iss=", "was="),
        lambda url: url.replace("code=", "code=x"),
        lambda url: url.replace("code=", "error=access_denied&was="),
        lambda url: url.replace("code=", "was="),
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("/company/", "/another/"),
    ):
        browser = Browser.of(company.portal)
        refused = browser.get(change(back_from(browser)))
        assert refused.status in (403, 404)
        assert browser.session is None
    with company.portal.program.db.read() as tx:
        failed = auditing.deeds(tx, ["auth.sign_in_failed"], None, 20)
    assert len(failed) == 7
    assert company.people() == []


def test_groups_are_read_anew_while_someone_is_signed_in(company: Company) -> None:
    browser, _, _ = sign_in(company)
    assert browser.get("/audit").status == 403
    company.tell(groups="platform,payments")
    assert wait_until(lambda: browser.get("/audit").status == 200)


def test_who_is_gone_from_the_provider_loses_sessions_and_tokens(company: Company) -> None:
    browser, _, _ = sign_in(company)
    with company.portal.program.db.begin() as tx:
        [maya] = store.people.all_people(tx.conn, "company")
        secret, _ = tokens.create(tx, maya, "maya's", ["read"], 9)
    headers = {"Authorization": f"Bearer {secret}"}
    other = {"Authorization": f"Bearer {token(company.portal.program, None, 'read')}"}
    assert company.portal.get("/catalog", headers).status == 200
    company.tell(gone="maya")
    assert wait_until(lambda: browser.get("/account").status == 303)
    assert company.portal.get("/catalog", headers).status == 401
    assert company.portal.get("/catalog", other).status == 200
    with company.portal.program.db.read() as tx:
        [deed] = auditing.deeds(tx, ["auth.person_gone"], None, 9)
    assert "The company" in deed.data["why"]


def test_who_is_in_no_group_any_more_that_may_sign_in_is_out(company: Company) -> None:
    side = oidc.providers_of(company.portal.program.settings)["company"]
    picky = msgspec.structs.replace(side.provider, allowed_groups=("payments",))
    side.provider = picky
    browser, _, _ = sign_in(company)
    assert browser.get("/account").status == 200
    company.tell(groups="another")
    assert wait_until(lambda: browser.get("/account").status == 303)


def test_a_provider_that_refuses_us_ends_nothing_of_its_people(company: Company) -> None:
    browser, _, _ = sign_in(company)
    side = oidc.providers_of(company.portal.program.settings)["company"]
    side.provider = msgspec.structs.replace(side.provider, client_secret="rotated meanwhile")
    assert wait_until(lambda: tried(company.portal) >= 2)
    assert browser.get("/account").status == 200


def test_a_provider_that_is_away_ends_nothing(packages: Path, sqlite_url: str, tmp_path: Path) -> None:  # noqa: E501  # fmt: skip
    port = free_port()
    with generous():
        with provider_running(packages, port) as issuer:
            provider = Provider(
                name="company", issuer=issuer, client_id="pilothouse", client_secret=SECRET,
                parameters={"prompt": "consent"},
            )  # fmt: skip
            settings = {"sign_in": (provider,), "sign_in_recheck": 1, "port": port}
            with serving(sqlite_url, data=str(tmp_path / "data"), **settings) as portal:
                browser, _, _ = sign_in(Company(portal, issuer))
                secret = browser.session
        with serving(sqlite_url, data=str(tmp_path / "data"), **settings) as portal:
            worker = portal.program.worker()
            thread = threading.Thread(target=worker.run)
            thread.start()
            assert wait_until(lambda: tried(portal) >= 2)
            browser = Browser.of(portal)
            browser.session = secret
            assert browser.get("/account").status == 200
            told = browser.get("/login/company")
            assert told.status in (303, 502)
            worker.stop()
            thread.join()


def tried(portal: Portal) -> int:
    from pilothouse.kernel.jobs.store import jobs

    with portal.program.db.read() as tx:
        query = jobs.select().where(jobs.c.kind == people.CHECK)
        return max((row.attempts for row in tx.conn.execute(query)), default=0)
