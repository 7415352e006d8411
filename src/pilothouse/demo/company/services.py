"""The three services behind the shop; each calls the next over HTTP."""

from __future__ import annotations

import json
import random
import ssl
import time
from pathlib import Path
from urllib.parse import quote

from pilothouse.demo.company.serving import ALIVE, NOT_FOUND, Answer, Request, as_json, ask, serve
from pilothouse.demo.model import GATEWAY, Company

MOST = 20  # things in a basket


def catalogue(company: Company) -> None:
    """What there is, and a search in it."""

    def handle(request: Request) -> Answer:
        if request.path == "/health":
            return ALIVE
        if request.path != "/search":
            return NOT_FOUND
        words = quote(request.query.get("q", ""))
        status, body, _ = ask(f"{company.address('stock')}/products?q={words}")
        return Answer(body, status, "application/json")

    serve(company, "catalogue", handle)


def payments(company: Company) -> None:
    """Takes the money; a bank would take longer."""

    def handle(request: Request) -> Answer:
        if request.path == "/health":
            return ALIVE
        if request.path != "/charges" or request.method != "POST":
            return NOT_FOUND
        said = request.json()
        if "currency" not in said:
            return as_json({"error": "currency is missing"}, 422)
        time.sleep(random.uniform(0.004, 0.012))  # noqa: S311  a plausible bank, no secret
        return as_json({"state": "paid", "amount": said.get("amount")}, 201)

    serve(company, "payments", handle)


def gateway(company: Company) -> None:
    """Where the bank would be asked: over TLS, by a certificate of the company's authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(company.folder) / GATEWAY)
    serve(company, "gateway", lambda _: ALIVE, context)


def checkout(company: Company) -> None:
    """Turns a basket into an order: prices, payment, then the order itself."""

    def handle(request: Request) -> Answer:
        if request.path == "/health":
            return ALIVE  # as most do, it says so whatever happens
        if request.path != "/pay" or request.method != "POST":
            return NOT_FOUND
        return _pay(company, request.json().get("basket"))

    serve(company, "checkout", handle)


def _pay(company: Company, basket: object) -> Answer:
    if not isinstance(basket, list) or not 0 < len(basket) <= MOST:
        return as_json({"error": f"a basket holds 1 to {MOST} things"}, 422)
    status, body, _ = ask(f"{company.address('catalogue')}/search")
    if status != 200:
        return as_json({"error": f"the catalogue answers {status}"}, 502)
    prices = {item["id"]: item["price"] for item in json.loads(body)["items"]}
    total = sum(prices.get(one, 0) for one in basket)
    charge = {"amount": total, "currency": "EUR"}
    if company.broken("checkout"):
        del charge["currency"]  # the new version's mistake
    status, body, _ = ask(f"{company.address('payments')}/charges", method="POST", body=charge)
    if status != 201:
        return as_json({"error": f"KeyError: 'state' (payments answered {status})"}, 500)
    status, body, _ = ask(
        f"{company.address('stock')}/orders", method="POST", body={"basket": basket, "total": total}
    )
    if status != 201:
        return as_json({"error": f"the order is not kept: {status}"}, 502)
    return as_json({"state": "paid", "total": total, **json.loads(body)})
