"""What stands before the shop: two edges that cache its files, and a third party's script."""

from __future__ import annotations

import time

from pilothouse.demo.company.serving import ALIVE, NOT_FOUND, Answer, Request, ask, serve
from pilothouse.demo.model import Company

FRESH = 60.0  # seconds that a file is kept
YESTERDAY = 26 * 3600  # seconds
SLOW = 2.3  # seconds of the third party when it is broken
SCRIPT = b"""document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("reviews").textContent = "4.8 of 5, says a third party";
});
"""


def edge(company: Company, name: str) -> None:
    """A caching proxy before the shop's assets; says in x-cache what it did."""
    kept: dict[str, tuple[float, Answer]] = {}
    region = "us" if name == "cdn-us" else "eu"

    def handle(request: Request) -> Answer:
        if not request.path.startswith("/assets/"):
            return ALIVE if request.path == "/health" else NOT_FOUND
        stale = region == "eu" and company.broken("cdn-eu")
        at, known = kept.get(request.path, (0.0, NOT_FOUND))
        age = time.monotonic() - at
        if known.status == 200 and (stale or age < FRESH):
            return _told(known, region, "STALE" if stale else "HIT", age + stale * YESTERDAY)
        status, body, headers = ask(f"{company.address('shop')}{request.path}")
        passed = {k: v for k, v in headers.items() if k in ("cache-control", "x-build")}
        fresh = Answer(body, status, headers.get("content-type", ""), passed)
        kept[request.path] = (time.monotonic(), fresh)
        return _told(fresh, region, "STALE" if stale else "MISS", stale * YESTERDAY)

    serve(company, name, handle)


def reviews(company: Company) -> None:
    """A script that the shop's pages carry, and that nobody of the company can repair."""

    def handle(request: Request) -> Answer:
        if request.path != "/reviews.js":
            return NOT_FOUND
        if company.broken("third-party"):
            time.sleep(SLOW)
        return Answer(SCRIPT, type="text/javascript", headers={"access-control-allow-origin": "*"})

    serve(company, "reviews", handle)


def _told(answer: Answer, region: str, cache: str, age: float) -> Answer:
    told = {"x-cache": cache, "x-edge": region, "age": str(int(age))}
    if cache == "STALE":
        told |= {"x-build": "2026.46"}
    return Answer(answer.body, answer.status, answer.type, {**answer.headers, **told})
