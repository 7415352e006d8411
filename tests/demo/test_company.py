"""The company really runs, can be broken in five ways, and nothing of it is left."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet
from tests.servers import answers, wait_until

from pilothouse.demo import faults, model, running
from pilothouse.demo.company.serving import ask
from pilothouse.demo.model import FAULTS, LISTENING, PLACES, Company, address_of
from pilothouse.kernel.errors import Conflict, Invalid

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", *map(address_of, PLACES)])
BY_NAME = {place.name: place for place in PLACES}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The company without its portal."""
    folder = tmp_path_factory.mktemp("demo")
    with running.folder_of_our_own(folder), running.doors() as doors:
        one = running.found(folder, "http://127.0.0.1:9", doors)
        running.keep(one)
        with running.running(one, doors):
            # Doors are open from the start, and whoever comes waits: so it is asked.
            for at in (one.address(name) for name in LISTENING if name != "gateway"):
                assert wait_until(lambda at=at: ask(at)[0] != 503), at
            last = address_of(PLACES[-1])
            assert wait_until(lambda: not running.is_free(one.ports["reviews"], last))
            yield one


@pytest.fixture(autouse=True)
def whole(company: Company) -> Iterator[None]:
    yield
    faults.repair(company, [fault.name for fault in FAULTS])


def broken(company: Company, name: str) -> None:
    faults.break_(company, faults.named(name))


def seen_from(company: Company, place: str, program: str) -> str:
    return f"http://{address_of(BY_NAME[place])}:{company.ports[program]}"


def test_a_basket_is_paid_through_all_three_services_until_checkout_is_broken(
    company: Company,
) -> None:
    url = f"{seen_from(company, 'eu-west', 'shop')}/api/pay"
    status, body, _ = ask(url, method="POST", body={"basket": [1, 4]})
    assert (status, json.loads(body)["state"]) == (200, "paid")
    broken(company, "checkout")
    status, body, _ = ask(url, method="POST", body={"basket": [1, 4]})
    assert status == 500
    assert "422" in json.loads(body)["error"]
    assert ask(f"{company.address('checkout')}/health")[0] == 200  # which is why nobody asks it


def test_a_customer_fills_a_basket_and_pays_by_forms(company: Company) -> None:
    shop = company.address("shop")
    assert b"Sextant" in ask(f"{shop}/")[1]
    assert b"Binnacle lamp, 1" in ask(f"{shop}/basket", headers={"cookie": "basket=3"})[1]
    paid = ask(f"{shop}/checkout", method="POST", headers={"cookie": "basket=3"})
    assert b"id=paid" in paid[1]


def test_the_edge_of_europe_alone_serves_yesterdays_files_when_it_is_broken(
    company: Company,
) -> None:
    broken(company, "cdn-eu")
    said = {
        place.name: ask(f"{seen_from(company, place.name, 'cdn')}/assets/build.json")[2]
        for place in PLACES
    }
    stale = {name for name, headers in said.items() if headers["x-cache"] == "STALE"}
    assert stale == {place.name for place in PLACES if place.region == "eu"}
    assert said["eu-west"]["x-build"] < said["us-west"]["x-build"]


def test_a_file_comes_from_the_edge_the_second_time(company: Company) -> None:
    url = f"{seen_from(company, 'us-west', 'cdn')}/assets/shop.css"
    ask(url)
    assert ask(url)[2]["x-cache"] == "HIT"


def test_what_is_far_takes_longer(company: Company) -> None:
    def took(place: str) -> float:
        began = time.monotonic()
        assert ask(f"{seen_from(company, place, 'shop')}/api/search?q=lamp")[0] == 200
        return time.monotonic() - began

    assert took("ap-north") > 0.2 > took("eu-central")


def test_the_third_party_is_slow_when_it_is_broken(company: Company) -> None:
    broken(company, "third-party")
    began = time.monotonic()
    assert ask(f"{company.address('reviews')}/reviews.js")[0] == 200
    assert 2 < time.monotonic() - began < 3


def test_a_report_takes_all_connections_but_one_and_the_shop_still_works(
    company: Company,
) -> None:
    def used() -> int:
        return json.loads(ask(f"{company.address('stock')}/pool")[1])["in_use"]

    broken(company, "database-pool")
    assert wait_until(lambda: used() == 9)
    assert ask(f"{company.address('shop')}/api/search?q=lamp")[0] == 200
    faults.repair(company, ["database-pool"])
    assert wait_until(lambda: used() < 3)


def signed_in(company: Company) -> tuple[str, KeySet, int]:
    """The ID token, the published keys, and what userinfo answers."""
    issuer = company.address("sign-in")
    found = json.loads(ask(f"{issuer}/.well-known/openid-configuration")[1])
    assert found["issuer"] == company.public("sign-in")
    asked = {"client_id": "shop", "redirect_uri": "http://127.0.0.1/callback", "state": "s"}
    _, form, _ = ask(f"{issuer}/authorize?{urlencode({**asked, 'nonce': 'n'})}")
    hidden = dict(re.findall(r'name=(\w+) value="([^"]*)"', form.decode()))
    status, _, headers = post(
        f"{issuer}/sign-in", {**hidden, "username": "ada", "password": "shipshape"}
    )
    assert status == 303
    code = parse_qs(urlsplit(headers["location"]).query)["code"][0]
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"]}
    _, body, _ = post(f"{issuer}/token", said)
    token = json.loads(body)
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    userinfo, _, _ = ask(f"{issuer}/userinfo", headers=bearer)
    return token["id_token"], KeySet.import_key_set(json.loads(ask(f"{issuer}/keys")[1])), userinfo


def post(url: str, form: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
    """A form, as browsers send it."""
    import http.client

    to = urlsplit(url)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=5)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", to.path, urlencode(form), kind)
    answer = connection.getresponse()
    found = answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
    connection.close()
    return found


def test_a_customer_signs_in_and_a_wrong_password_does_not(company: Company) -> None:
    token, keys, userinfo = signed_in(company)
    claims = jwt.decode(token, keys).claims
    assert (claims["sub"], claims["nonce"], claims["aud"]) == ("ada", "n", "shop")
    assert userinfo == 200
    wrong = {"redirect_uri": "http://127.0.0.1/callback", "username": "ada", "password": "x"}
    assert post(f"{company.address('sign-in')}/sign-in", wrong)[0] == 401


def test_a_broken_sign_in_answers_as_ever_with_a_signature_nobody_can_check(
    company: Company,
) -> None:
    broken(company, "sign-in")
    token, keys, userinfo = signed_in(company)
    assert userinfo == 200
    with pytest.raises(InvalidKeyIdError):
        jwt.decode(token, keys)


def test_what_is_broken_already_is_not_broken_again(company: Company) -> None:
    broken(company, "third-party")
    with pytest.raises(Invalid, match="repair third-party"):
        broken(company, "third-party")
    assert faults.repair(company, ["third-party", "sign-in"]) == ["third-party"]


def test_a_folder_is_one_demos_and_nobody_elses(company: Company, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="runs in"), running.folder_of_our_own(Path(company.folder)):
        pass
    (tmp_path / "thesis.txt").write_text("my only copy")
    with pytest.raises(Conflict, match="no demo's"), running.folder_of_our_own(tmp_path):
        pass
    assert (tmp_path / "thesis.txt").exists()


def test_two_companies_that_are_founded_at_once_have_ports_of_their_own() -> None:
    with running.doors() as one, running.doors() as other:
        ports = [door.getsockname()[1] for door in (*one.values(), *other.values())]
        assert len(set(ports)) == 2 * len(LISTENING)


def test_the_gateway_shows_a_certificate_of_the_companys_authority(company: Company) -> None:
    host, folder = "gateway.localhost", Path(company.folder)
    context = ssl.create_default_context(cafile=folder / model.AUTHORITIES)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer Pythons do by themselves
    where = (address_of(BY_NAME["eu-west"]), company.ports["gateway"])
    with (
        socket.create_connection(where, timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as wire,
    ):
        assert wire.version() == "TLSv1.3"
    with (
        socket.create_connection(where, timeout=20) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def test_what_a_demo_left_is_cleaned_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for _ in range(2):
        with running.folder_of_our_own(folder):
            assert not (folder / "left").exists()
            assert not any(model.faults_in(folder).iterdir())
            (folder / "left").mkdir()
            (model.faults_in(folder) / "checkout").touch()


def test_nothing_is_left_of_a_company_whose_demo_is_killed(tmp_path: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from pilothouse.demo import running
with running.folder_of_our_own(Path(sys.argv[1])) as folder, running.doors() as doors:
    company = running.found(folder, "http://127.0.0.1:9", doors)
    running.keep(company)
    with running.running(company, doors):
        print(*company.ports.values(), flush=True)
        time.sleep(60)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "demo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ports = [int(port) for port in process.stdout.readline().split()]
        assert wait_until(lambda: all(answers(port) for port in ports))
        process.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not any(answers(port) for port in ports))
