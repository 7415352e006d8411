"""The shop: pages with a basket and a way to pay, and the files that its edges serve."""

from __future__ import annotations

import json
from html import escape
from typing import Any
from urllib.parse import urlencode

from pilothouse.demo.company.serving import (
    HTML,
    NOT_FOUND,
    Answer,
    Handler,
    Request,
    ask,
    redirect,
    serve,
)
from pilothouse.demo.model import Company

BUILD = "2026.47"
STYLE = """body { font: 17px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem;
  padding: 1rem; color: #16303f; background: #f4f8fa }
header, li { display: flex; justify-content: space-between; gap: 1rem; align-items: center }
ul { list-style: none; padding: 0; display: grid; gap: .5rem }
li { background: #fff; padding: .75rem 1rem; border-radius: .5rem }
button { font: inherit; padding: .4rem .9rem; border: 0; border-radius: .4rem; background: #0a5c80;
  color: #fff } small { color: #4b6675 } a { color: #0a5c80 }
"""
CLIENT = "shop"


def run(company: Company) -> None:
    """Serve the pages."""
    ways: dict[tuple[str, str], Handler] = {
        ("GET", "/"): lambda request: _front(company, request),
        ("GET", "/basket"): lambda request: _basket_page(company, request),
        ("POST", "/basket"): _add,
        ("POST", "/checkout"): lambda request: _checkout(company, request),
        ("POST", "/api/pay"): lambda request: _pay(company, request.json().get("basket")),
        ("GET", "/api/search"): lambda request: _search(company, request),
        ("GET", "/sign-in"): lambda _: redirect(_sign_in(company)),
        ("GET", "/callback"): lambda request: _signed_in(company, request),
        ("GET", "/assets/shop.css"): lambda _: _asset(STYLE, "text/css"),
        ("GET", "/assets/build.json"): lambda _: _asset(
            json.dumps({"build": BUILD}), "application/json"
        ),
    }

    def handle(request: Request) -> Answer:
        method = "GET" if request.method == "HEAD" else request.method
        return ways.get((method, request.path), lambda _: NOT_FOUND)(request)

    serve(company, "shop", handle)


def _front(company: Company, request: Request) -> Answer:
    products = _products(company)
    if products is None:
        return _page(company, "Closed", "<p>The catalogue does not answer. Try again soon.", 503)
    rows = "".join(
        f"<li><span><b>{escape(one['name'])}</b><br><small>{escape(one['told'])}</small></span>"
        f"<form method=post action=/basket><input type=hidden name=add value={one['id']}>"
        f"<button id=add-{one['id']}>{one['price'] / 100:.2f} € · add</button></form></li>"
        for one in products
    )
    return _page(company, "Chandlery", f"<ul>{rows}</ul>", count=len(_basket(request)))


def _basket_page(company: Company, request: Request) -> Answer:
    chosen = _basket(request)
    rows = "".join(
        f"<li><span>{escape(one['name'])}, {chosen.count(one['id'])}</span>"
        f"<span>{one['price'] * chosen.count(one['id']) / 100:.2f} €</span></li>"
        for one in _products(company) or ()
        if one["id"] in chosen
    )
    pay = "<form method=post action=/checkout><button id=pay>Pay</button></form>"
    inside = f"<ul>{rows}</ul>{pay}" if rows else "<p>Nothing in it yet."
    return _page(company, "Your basket", inside, count=len(chosen))


def _add(request: Request) -> Answer:
    chosen = [
        *_basket(request),
        *(int(one) for one in [request.form.get("add", "")] if _is_id(one)),
    ]
    return redirect("/basket", set_cookie=_cookie(chosen[-20:]))


def _checkout(company: Company, request: Request) -> Answer:
    answer = _pay(company, _basket(request))
    if answer.status != 200:
        text = "<p id=failed>Your payment did not go through. You were not charged."
        return _page(company, "Sorry", text, 500)
    number = json.loads(answer.body)["order"]
    page = _page(company, "Thank you", f"<p id=paid>Paid. Your order is number {number}.")
    return Answer(page.body, headers={"set-cookie": _cookie([])})


def _pay(company: Company, basket: Any) -> Answer:
    to = f"{company.address('checkout')}/pay"
    status, body, _ = ask(to, method="POST", body={"basket": basket})
    return Answer(body or b'{"error": "checkout does not answer"}', status, "application/json")


def _search(company: Company, request: Request) -> Answer:
    query = urlencode({"q": request.query.get("q", "")})
    status, body, _ = ask(f"{company.address('catalogue')}/search?{query}")
    return Answer(body or b'{"items": []}', status, "application/json")


def _products(company: Company) -> list[dict[str, Any]] | None:
    answer = _search(company, Request("GET", "/", {}, {}))
    return json.loads(answer.body)["items"] if answer.status == 200 else None


def _sign_in(company: Company) -> str:
    asked = {
        "client_id": CLIENT,
        "response_type": "code",
        "scope": "openid profile",
        "redirect_uri": f"{company.public('shop')}/callback",
        "state": "shop",
    }
    return f"{company.public('sign-in')}/authorize?{urlencode(asked)}"


def _signed_in(company: Company, request: Request) -> Answer:
    known = bool(request.query.get("code"))
    text = "You are signed in." if known else "You are not signed in."
    return _page(company, "Welcome back" if known else "Sorry", f"<p id=signed-in>{text}")


def _page(company: Company, title: str, inside: str, status: int = 200, count: int = 0) -> Answer:
    cdn, reviews = company.public("cdn"), company.public("reviews")
    body = f"""<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>
<meta name=viewport content="width=device-width, initial-scale=1">
<link rel=icon href="data:,"><link rel=stylesheet href="{cdn}/assets/shop.css">
{company.vitals}<script src="{reviews}/reviews.js"></script>
<header><h1>{escape(title)}</h1><nav><a href=/>Chandlery</a> · <a href=/basket id=basket>Basket
({count})</a> · <a href=/sign-in>Sign in</a></nav></header><main>{inside}</main>
<footer><small id=reviews></small></footer></html>"""
    return Answer(body.encode(), status, HTML)


def _asset(text: str, kind: str) -> Answer:
    return Answer(text.encode(), 200, kind, {"cache-control": "max-age=60", "x-build": BUILD})


def _basket(request: Request) -> list[int]:
    """The products in the cookie, by number."""
    cookie = request.headers.get("cookie", "").partition("basket=")[2].partition(";")[0]
    return [int(one) for one in cookie.split(".") if _is_id(one)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _cookie(chosen: list[int]) -> str:
    return f"basket={'.'.join(map(str, chosen))}; Path=/; HttpOnly; SameSite=Lax"
