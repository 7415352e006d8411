"""The company's CI, and its jobs: what was deployed, what is, and a stock that is counted."""

from __future__ import annotations

import random
import re
import time
from datetime import timedelta
from functools import cache

from pilothouse.demo.company import telling
from pilothouse.demo.company.serving import ask
from pilothouse.demo.model import Company
from pilothouse.kernel import clock

SOON = 0.5  # seconds until a portal that is not up yet is asked again
AGAIN = 240.0  # seconds between deployments
COUNTED = 30.0  # seconds between counts of the stock
TOLD = 202


def run(company: Company) -> None:
    """Tell of the weeks before, then deploy something every few minutes."""
    while telling.tell(company, telling.history(clock.now())) not in (TOLD, 200):
        time.sleep(SOON)
    next_deployment = time.monotonic() + AGAIN / 4
    while True:
        if time.monotonic() >= next_deployment:
            next_deployment += AGAIN
            _deploy(company)
        _count(company)
        time.sleep(COUNTED)


def _deploy(company: Company) -> None:
    service = random.choice(("shop", "catalogue", "payments", "sign-in"))  # noqa: S311
    took = timedelta(seconds=random.randint(90, 240))  # noqa: S311
    now = clock.now()
    for env in ("staging", "production"):
        telling.tell(company, [telling.deployment(service, now, took=took, env=env)])


def _count(company: Company) -> None:
    """Count what is left, and say that it was counted."""
    status, _, _ = ask(f"{company.address('stock')}/products")
    if status == 200 and (heartbeat := _heartbeat(company)):
        ask(heartbeat, method="POST")


@cache
def _heartbeat_at(portal: str) -> str:
    """The address that the check's page tells whoever sets up the job."""
    _, body, _ = ask(f"{portal}/checks/default/stock-count")
    path = re.search(r"/hooks/heartbeats/[\w-]+", body.decode(errors="replace"))
    if path is None:
        raise LookupError(portal)
    return portal + path[0]


def _heartbeat(company: Company) -> str:
    try:
        return _heartbeat_at(company.portal)
    except LookupError:  # the page is not there yet
        return ""
