"""`python -m pilothouse.demo.company NAME FOLDER`: one program of the company."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import msgspec

from pilothouse.demo import child, model
from pilothouse.demo.company import edges, network, services, shop, stock
from pilothouse.kernel import clock


def _sign_in(company: model.Company) -> None:
    from pilothouse.demo.company import sign_in  # brings cryptography, which no other needs

    sign_in.run(company)


def _customers(company: model.Company) -> None:
    from pilothouse.demo.company import customers

    customers.run(company)


def _deliveries(company: model.Company) -> None:
    from pilothouse.demo.company import deliveries

    deliveries.run(company)


PROGRAMS: dict[str, Callable[[model.Company], None]] = {
    "shop": shop.run,
    "checkout": services.checkout,
    "payments": services.payments,
    "catalogue": services.catalogue,
    "stock": stock.run,
    "sign-in": _sign_in,
    "cdn": partial(edges.edge, name="cdn"),
    "cdn-us": partial(edges.edge, name="cdn-us"),
    "reviews": edges.reviews,
    "gateway": services.gateway,
    "network": network.run,
    "deliveries": _deliveries,
    "customers": _customers,
}


def main() -> None:
    """Become the program."""
    name, folder, *door = sys.argv[1:]
    child.end_with_parent()
    company = model.read(Path(folder))
    clock.set_ahead(timedelta(seconds=company.ahead))
    PROGRAMS[name](msgspec.structs.replace(company, door=int(door[0])) if door else company)


if __name__ == "__main__":
    main()
