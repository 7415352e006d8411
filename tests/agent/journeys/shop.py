"""A shop for journeys: pages that are fine, slow, hang, eat memory, cannot be signed in to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BUSY = "function busy(ms) { const t = performance.now(); while (performance.now() - t < ms); }"
SHOP = """<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>
<p id="hello">Welcome to the shop, where there is much to be had.</p>
<script src="http://ads.tracker.localhost:PORT/ads.js?visitor=secret-query"></script>
<form action="/account" method="post"><label>Name <input id="user" name="user"></label>
<label>Password <input id="password" type="password" name="password"></label>
<button>Sign in</button></form>"""
PAGES = {
    "/": SHOP,
    "/account": "<!doctype html><html lang=en><title>You</title><h1 id=you>Hello Maya</h1>",
    "/wrong": "<!doctype html><html lang=en><title>Oops</title><p>Not today.",
    "/hang": "<!doctype html><title>Hang</title><script>while (true);</script>",
    "/hog": "<!doctype html><title>Hog</title><script>const kept = [];"
    "setInterval(() => kept.push(new Uint8Array(3e7).fill(1)), 20);</script>",
    "/shift": "<!doctype html><html lang=en><title>Shift</title><h1>Shift</h1><p>Text.</p>"
    "<script>setTimeout(() => { const bar = document.createElement('div');"
    "bar.style.height = '300px'; document.body.prepend(bar); }, 150);"
    "console.error('no basket at http://shop.localhost/basket?id=7');</script>",
    "/plain": "<!doctype html><title>No language</title><img src=/x.png><input>",
}


@dataclass
class Shop:
    """Where it is, and how it is: `slow` seconds for the third party's script."""

    port: int = 0
    slow: float = 0.0
    busy: int = 0
    broken: bool = False  # nobody can sign in
    asked: list[str] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "shop.localhost") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def open_shop() -> Iterator[Shop]:
    shop = Shop()
    closing = threading.Event()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            shop.asked.append(f"{self.headers['host']}{path}")
            if path == "/ads.js":
                closing.wait(shop.slow)
                self._answer(f"{BUSY} busy({shop.busy});", "text/javascript")
            elif path in PAGES:
                self._answer(PAGES[path].replace("PORT", str(shop.port)), "text/html")
            else:
                self._answer("", "text/plain", 404 if path == "/gone" else 200)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(303)
            self.send_header(
                "location", "/wrong?token=of-the-session" if shop.broken else "/account"
            )
            self.send_header("content-length", "0")
            self.end_headers()

        def _answer(self, text: str, kind: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("set-cookie", "session=nobodys-business")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    shop.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield shop
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
