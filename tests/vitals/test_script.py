"""What the script tells of a page in a real browser, and what it never tells."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from tests.servers import LOOPBACK, wait_until

from pilothouse.kernel.assets import STATIC, asset

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = (STATIC / asset("rum.js").rpartition("/")[2]).read_bytes()
PAGE = """<!doctype html><html lang="en"><head><title>Shop</title>
<script async src="http://127.0.0.1:{port}/rum/v1/pilothouse.js"
 data-entity="component:default/shop" data-key="shop-web-1"{more}></script></head>
<body><h1>A shop</h1><p id="text">Nothing here answers a click.</p>
<button id="buy">Buy</button><button id="off" disabled>Sold out</button>
<div id="plain">A div that a handler takes</div><input id="find" aria-label="Find"><p id="out"></p>
<script>
const wait = (ms) => {{ const end = performance.now() + ms; while (performance.now() < end); }};
document.getElementById("buy").addEventListener("click", () => {{
  wait(120); out.textContent = "Bought";
}});
document.getElementById("plain").addEventListener("click", (event) => {{
  event.preventDefault(); wait(60); out.textContent = "Taken";
}});
</script></body></html>"""


PAINTED = """new Promise((done) => {
  const seen = (list) => {
    if (list.getEntries().some((one) => one.name === "click")) setTimeout(done, 300);
  };
  new PerformanceObserver(seen).observe({type: "event", buffered: true, durationThreshold: 16});
  setTimeout(done, 1500); })"""


class Shop:
    """A site of pages, and the beacons that they send."""

    def __init__(self) -> None:
        self.port = 0
        self.told: list[tuple[Any, dict[str, str]]] = []
        self.more = ""

    def url(self, path: str = "/basket/77?coupon=s3cret&mail=maya@shop.example#s3cret") -> str:
        return f"http://{LOOPBACK}:{self.port}{path}"

    @property
    def numbers(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for body, _ in self.told:
            found |= body["m"]
        return found


@contextmanager
def serving() -> Iterator[Shop]:
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/rum/"):
                self.answer(SCRIPT, "text/javascript")
            else:
                page = PAGE.format(port=shop.port, more=shop.more)
                self.answer(page.encode(), "text/html", ("Set-Cookie", "session=s3cret"))

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            shop.told.append((json.loads(text), dict(self.headers)))
            self.send_response(204)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()

        def answer(self, body: bytes, kind: str, *more: tuple[str, str]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in more:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    shop.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with serving() as found:
        yield found


def leave(tab: Any, shop: Shop) -> None:
    """Go elsewhere, and wait for what the page tells then."""
    before = len(shop.told)
    tab.evaluate(PAINTED)  # as a visitor who looks at what came of it
    tab.goto("about:blank")
    assert wait_until(lambda: len(shop.told) > before)


def test_the_script_is_five_kilobytes_at_most():
    assert len(gzip.compress(SCRIPT, 9)) <= 5 * 1024


def test_a_page_view_tells_its_numbers_and_nothing_of_its_visitor(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#buy")
    leave(tab, shop)
    assert set(shop.numbers) == {"ttfmi", "lcp", "inp", "cls", "fcp", "ttfb"}
    body, headers = shop.told[0]
    assert set(body) == {"e", "k", "p", "w", "m"}
    assert (body["e"], body["k"]) == ("component:default/shop", "shop-web-1")
    assert body["p"] == "/basket/77"
    assert "s3cret" not in json.dumps([body, headers])
    assert "maya" not in json.dumps([body, headers])
    assert not {"cookie", "referer"} & {name.lower() for name in headers}
    assert headers["Origin"] == f"http://{LOOPBACK}:{shop.port}"


def test_the_first_meaningful_interaction_ends_with_the_paint_that_answers_it(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#text")  # nothing handles that
    tab.click("#off", force=True)
    tab.keyboard.press("Tab")
    clicked = tab.evaluate("performance.now()")
    tab.click("#buy")
    tab.wait_for_function("document.getElementById('out').textContent === 'Bought'")
    answered = tab.evaluate(
        "new Promise(r => requestAnimationFrame(() => setTimeout(() => r(performance.now()))))"
    )
    tab.click("#buy")  # a second one does not count
    leave(tab, shop)
    assert clicked + 110 <= shop.numbers["ttfmi"] <= answered + 20


def test_a_handler_that_takes_a_click_makes_it_meaningful(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#plain")
    leave(tab, shop)
    assert shop.numbers["ttfmi"] > 50


def test_typing_into_a_field_is_meaningful(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.evaluate("document.getElementById('find').focus()")
    tab.keyboard.press("s")
    leave(tab, shop)
    assert shop.numbers["ttfmi"] > 0


def test_a_page_that_nobody_used_has_no_such_number(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#text")
    leave(tab, shop)
    assert "ttfmi" not in shop.numbers
    assert "lcp" in shop.numbers


def test_the_mark_of_an_app_goes_before_what_was_clicked(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#buy")
    tab.evaluate("performance.mark('pilothouse:meaningful', {startTime: 42})")
    leave(tab, shop)
    assert shop.numbers["ttfmi"] == 42


def test_a_page_tells_each_number_once(tab, shop):
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#buy")
    hide = """state => {
      Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
      document.dispatchEvent(new Event('visibilitychange', {bubbles: true})) }"""
    tab.evaluate(PAINTED)
    tab.evaluate(hide, "hidden")
    assert wait_until(lambda: bool(shop.told))
    tab.evaluate(hide, "visible")
    tab.click("#buy")
    tab.wait_for_timeout(150)
    tab.goto("about:blank")
    tab.wait_for_timeout(200)
    names = [name for body, _ in shop.told for name in body["m"]]
    assert len(names) == len(set(names))


def test_what_is_not_sampled_tells_nothing(tab, shop):
    shop.more = ' data-sample="0"'
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    tab.click("#buy")
    tab.goto("about:blank")
    tab.wait_for_timeout(200)
    assert shop.told == []


def test_an_app_may_name_its_pages(tab, shop):
    shop.more = ' data-page="/basket/:id"'
    tab.goto(shop.url())
    tab.wait_for_load_state("networkidle")
    leave(tab, shop)
    assert shop.told[0][0]["p"] == "/basket/:id"
