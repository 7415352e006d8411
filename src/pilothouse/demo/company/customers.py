"""Customers: they look around and pay, and their browsers tell the portal what that felt like."""

from __future__ import annotations

import random
import time
import uuid

from pilothouse.demo.company.serving import ask
from pilothouse.demo.model import Company

PAUSE = (0.5, 3.0)  # seconds
PAGES = {"/": 0.5, "/basket": 0.3, "/checkout": 0.1, "/product/{}": 0.4}
DEVICES = {1440: 1.0, 820: 1.4, 390: 1.9}  # width, and how much slower it is
# Typical numbers of a fast device, in ms; CLS has no unit.
TYPICAL = {"ttfb": 180, "fcp": 600, "lcp": 1000, "inp": 70, "cls": 0.03, "ttfmi": 2000}
SPREAD = 0.45
BUYS = 0.3  # share of customers


def run(company: Company) -> None:
    """One customer after another."""
    shop = company.address("shop")
    chance = random.Random()  # noqa: S311  customers are no secrets
    while True:
        time.sleep(chance.uniform(*PAUSE))
        ask(f"{shop}/")
        if chance.random() < BUYS:
            basket = chance.sample(range(1, 9), chance.randint(1, 3))
            ask(f"{shop}/api/pay", method="POST", body={"basket": basket})
        for _ in range(chance.randint(1, 4)):
            _feel(company, chance)


def _feel(company: Company, chance: random.Random) -> None:
    """A page view, as the script in the page tells of it."""
    page = chance.choices(list(PAGES), list(PAGES.values()))[0].format(uuid.uuid4().hex)
    width, slower = chance.choice(list(DEVICES.items()))
    waits = 2300 if company.broken("third-party") else 0  # the head of every page waits for it
    numbers = {
        name: round(value * slower * chance.lognormvariate(0, SPREAD), 3)
        for name, value in TYPICAL.items()
    }
    for late in ("fcp", "lcp", "ttfmi"):
        numbers[late] += waits
    beacon = {"e": company.watched, "k": company.vitals_key, "p": page, "w": width, "m": numbers}
    ask(f"{company.portal}/rum/v1/beacon", method="POST", body=beacon)
