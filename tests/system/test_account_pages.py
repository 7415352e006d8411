"""Signing in, the account and the audit in a real browser: readable by all, without scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from tests import axe
from tests.auth.browsing import PASSWORD, add, generous, portal
from tests.kernel.portal import Portal
from tests.system.test_pages import WIDTHS

from pilothouse import app
from pilothouse.kernel.actors import Role
from pilothouse.kernel.auth.model import Provider

COMPANY = Provider(
    name="company", title="Example Ltd", issuer="https://login.example", client_id="pilothouse"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("account")
    url = f"sqlite:///{folder / 'pilothouse.db'}"
    others = [module for module in app.OURS if module.name not in ("auth", "catalog")]
    with generous(), portal(url, *others, sign_in=(COMPANY,), data=str(folder)) as found:
        add(found.program, "maya", Role.ADMIN)
        yield found


def home(running: Portal) -> str:
    return f"http://127.0.0.1:{running.port}"


def sign_in(tab: Page, running: Portal, target: str = "/account") -> None:
    tab.goto(home(running) + target)
    tab.locator("#name").fill("maya")
    tab.locator("#password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    browser: Browser, running: Portal, width: int
) -> None:
    axe.needed()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, reduced_motion="reduce", bypass_csp=True
    )
    context.add_cookies([{"name": "display", "value": f"{axe.LIGHT}|UTC|on", "url": home(running)}])
    tab, found, wide = context.new_page(), [], []

    def look() -> None:
        if tab.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(tab.url)
        found.extend(axe.violations(tab))

    tab.goto(home(running) + "/login?next=/catalog")
    look()
    tab.locator("#name").fill("maya")
    tab.locator("#password").fill("not the password")
    tab.get_by_role("button", name="Sign in").click()
    look()
    sign_in(tab, running)
    look()
    tab.get_by_label("What is it for?").fill("deployments of the shop")
    tab.get_by_role("button", name="Make the token").click()
    look()
    tab.goto(home(running) + "/audit")
    look()
    context.close()
    assert not found
    assert not wide


def test_one_signs_in_makes_a_token_and_signs_out_without_scripts(
    browser: Browser, running: Portal
) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    sign_in(tab, running, "/catalog?kind=api")
    expect(tab).to_have_url(re.compile(r"/catalog\?kind=api$"))
    tab.get_by_role("link", name="Maya").click()
    expect(tab.locator("h1")).to_have_text("Maya")
    tab.get_by_label("What is it for?").fill("a build")
    tab.get_by_role("button", name="Make the token").click()
    expect(tab.locator("#made code").first).to_have_text(re.compile("^ph_"))
    tab.get_by_role("button", name="Revoke a build").first.click()
    tab.locator(".whoami button").click()
    expect(tab.locator("h1")).to_have_text("Sign in to Pilothouse")
    tab.goto(home(running) + "/account")
    expect(tab.locator("h1")).to_have_text("Sign in to Pilothouse")
    context.close()


def test_the_way_to_the_provider_stands_on_the_page(tab: Page, running: Portal) -> None:
    tab.goto(home(running) + "/login?next=/catalog")
    link = tab.get_by_role("link", name="Continue with Example Ltd")
    expect(link).to_have_attribute("href", "/login/company?next=/catalog")
