"""`python -m pilothouse.demo.company NAME FOLDER`: one program of the company.

It ends with whoever started it: when its standard input does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pilothouse.demo import model
from pilothouse.demo.company import edges, network, services, shop, stock


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
    "network": network.run,
    "deliveries": _deliveries,
    "customers": _customers,
}


def main() -> None:
    """Become the program."""
    name, folder = sys.argv[1:3]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the demo's, which then ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    PROGRAMS[name](model.read(Path(folder)))


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
