"""Customers: they look around and pay, so that the company's programs have something to do."""

from __future__ import annotations

import random
import time

from pilothouse.demo.company.serving import ask
from pilothouse.demo.model import Company

PAUSE = (0.5, 4.0)  # seconds


def run(company: Company) -> None:
    """One customer after another."""
    shop = company.address("shop")
    while True:
        time.sleep(random.uniform(*PAUSE))  # noqa: S311  customers are no secrets
        ask(f"{shop}/")
        if random.random() < 0.3:  # noqa: S311
            basket = random.sample(range(1, 9), random.randint(1, 3))  # noqa: S311
            ask(f"{shop}/api/pay", method="POST", body={"basket": basket})
