"""Requests that we send out reach public servers, and those an admin named, and no others."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kernel import outgoing
from pilothouse.kernel.outgoing import Forbidden, Unreachable, fetch, host_of, judge


def named(*addresses):
    return lambda _host, _port: list(addresses)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254",
        "0.0.0.0", "100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "::1", "::",
        "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
        "fec0::1", "feff::1", "64:ff9b:1::1", "64:ff9b:1::5db8:d822", "::10.0.0.1", "::127.0.0.1",
        "::169.254.169.254", "::2", "::ffff:0:10.0.0.1", "::ffff:0:169.254.169.254", "2001::1",
        "2001:0:a00:1::", "2001:db8::1", "2002:a00:1::", "3fff::1", "5f00::1", "100::1",
        "100:0:0:1::1", "4000::1", "192.0.0.9", "192.88.99.1", "198.18.0.1", "240.0.0.1",
    ],
)  # fmt: skip
def test_a_name_that_leads_to_what_only_we_can_reach_is_refused(address):
    with pytest.raises(Forbidden):
        judge("https://rebound.example/", resolve=named(address))
    with pytest.raises(Forbidden):
        judge("https://rebound.example/", resolve=named("93.184.216.34", address))


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("93.184.216.34", "93.184.216.34"),
        ("2606:4700::1", "2606:4700::1"),
        ("2001:4860:4860::8888", "2001:4860:4860::8888"),
        ("::ffff:93.184.216.34", "93.184.216.34"),
        ("::ffff:0:93.184.216.34", "93.184.216.34"),
        ("::93.184.216.34", "93.184.216.34"),
        ("64:ff9b::5db8:d822", "93.184.216.34"),
        ("2002:5db8:d822::1", "93.184.216.34"),
    ],
)
def test_a_public_address_is_asked_by_ipv4_where_it_stands_for_that(address, asked):
    assert judge("https://public.example/", resolve=named(address)).address == asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "127.1", "0177.0.0.1",
        "[::ffff:127.0.0.1]", "localhost.", "169.254.169.254", "LOCALHOST",
    ],
)  # fmt: skip
def test_loopback_is_refused_however_it_is_written(host):
    with pytest.raises((Forbidden, Unreachable)):
        judge(f"https://{host}/latest/meta-data")


@pytest.mark.parametrize(
    "url",
    [
        "http://public.example/", "ftp://public.example/", "file:///etc/passwd", "gopher://a/",
        "https://", "https:///path", "//public.example", "public.example", "", "https://a b/",
        "https://public.example/\r\nHost: evil", "https://user:secret@public.example/",
        "https://user@public.example", "https://[::1", "https://public.example:99999/",
        "https://public.example:port/", "https://\u2025.example/", "data:text/plain,x",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused_without_repeating_secrets(url):
    with pytest.raises(Forbidden) as refused:
        judge(url, resolve=named("93.184.216.34"))
    assert "secret" not in str(refused.value)


def test_a_public_address_is_asked_at_the_address_that_was_judged():
    target = judge("https://Public.example/a?b=c", resolve=named("93.184.216.34"))
    assert (target.host, target.port, target.path) == ("public.example", 443, "/a?b=c")
    assert target.address == "93.184.216.34"


def test_a_host_of_the_settings_may_be_on_a_private_network_with_tls_only():
    trusted = frozenset({host_of("https://login.corp/")})
    inside = named("10.1.2.3")
    assert judge("https://login.corp/token", trusted, inside).address == "10.1.2.3"
    for url in ("http://login.corp/token", "https://login.corp:8443/", "https://other.corp/"):
        with pytest.raises(Forbidden):
            judge(url, trusted, inside)
    with pytest.raises(Forbidden, match="nobody's server"):
        judge("https://login.corp/", trusted, named("169.254.169.254"))


def test_http_is_spoken_to_a_configured_host_of_this_machine_only():
    trusted = frozenset({host_of("http://127.0.0.1:9000")})
    assert judge("http://127.0.0.1:9000/x", trusted).scheme == "http"
    with pytest.raises(Forbidden):
        judge("http://127.0.0.1:9001/x", trusted)


@given(st.text(max_size=60))
def test_any_text_is_judged_or_refused(text):
    with pytest.raises((Forbidden, Unreachable)):
        judge(text, resolve=named("127.0.0.1"))


class Server(BaseHTTPRequestHandler):
    """Redirects, answers at length, or says nothing useful."""

    def do_GET(self):
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
        elif self.path in ("/dripping-head", "/dripping-body"):
            self.drip()
        else:
            self.send_response(200)
            self.end_headers()
            with_length = outgoing.MOST_BYTES + 1 if self.path == "/long" else 2
            self.wfile.write(b"x" * with_length)

    def drip(self):
        """A byte at a time, each well within the timeout of a socket, until nobody listens."""
        head, body = b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"
        with suppress(OSError):
            self.wfile.write(head if self.path == "/dripping-head" else body)
            while not self.server.over.wait(0.05):
                self.wfile.write(b"x")

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    server = HTTPServer(("127.0.0.1", 0), Server)
    server.over = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def test_redirects_are_not_followed_and_answers_are_bounded():
    with serving() as url:
        trusted = frozenset({host_of(url)})
        assert fetch("GET", f"{url}/", trusted=trusted).body == b"xx"
        assert fetch("GET", f"{url}/away", trusted=trusted).status == 302
        with pytest.raises(Unreachable, match="more than"):
            fetch("GET", f"{url}/long", trusted=trusted)
        with pytest.raises(Forbidden):
            fetch("GET", f"{url}/")
    with pytest.raises(Unreachable, match="did not answer"):
        fetch("GET", f"{url}/", trusted=trusted)


@pytest.mark.parametrize("path", ["/dripping-head", "/dripping-body"])
def test_a_server_that_sends_a_byte_at_a_time_holds_us_no_longer_than_a_silent_one(
    monkeypatch, path
):
    monkeypatch.setattr(outgoing, "SECONDS", 0.4)
    with serving() as url:
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"longer than 0\.4 seconds|timed out"):
            fetch("GET", f"{url}{path}", trusted=frozenset({host_of(url)}))
    assert time.monotonic() - began < 5


def test_the_name_that_is_asked_for_stands_in_host_without_the_schemes_own_port():
    for url, port in (("https://public.example/", 443), ("http://public.example/", 80)):
        target = outgoing.Target(url.split(":")[0], "public.example", port, "93.184.216.34", "/")
        connection = outgoing._connection(target, time.monotonic() + 1)
        assert connection.default_port == connection.port == port
