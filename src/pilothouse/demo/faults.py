"""Breaking the company that runs, and repairing it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pilothouse.demo import model
from pilothouse.demo.company import telling
from pilothouse.demo.model import FAULTS, Company, Fault
from pilothouse.kernel import clock
from pilothouse.kernel.errors import Conflict, Invalid, NotFound


def running_in(folder: Path) -> Company:
    """The company that runs in this folder. Raises Conflict when none does."""
    try:
        company = model.read(folder)
    except FileNotFoundError:
        raise Conflict(
            f"no demo runs in {folder}: start one with `pilothouse demo`, or name its folder "
            "with --data"
        ) from None
    clock.set_ahead(timedelta(seconds=company.ahead))
    return company


def named(name: str) -> Fault:
    """The fault of this name. Raises NotFound, naming those there are."""
    for fault in FAULTS:
        if fault.name == name:
            return fault
    raise NotFound(f"{name!r} cannot be broken; {', '.join(one.name for one in FAULTS)} can")


def break_(company: Company, fault: Fault) -> None:
    """Break it. A broken checkout is a new version of it, and its CI tells of that first.

    Raises Invalid when it is broken already.
    """
    if company.broken(fault.name):
        raise Invalid(f"{fault.name} is broken already; `pilothouse demo repair {fault.name}`")
    if fault.name == "checkout":
        _deploy(company)
    (model.faults_in(Path(company.folder)) / fault.name).touch()


def repair(company: Company, names: list[str]) -> list[str]:
    """Repair these, or all; which were broken. A repaired checkout is the next version."""
    repaired = [name for name in names if company.broken(name)]
    for name in repaired:
        (model.faults_in(Path(company.folder)) / name).unlink(missing_ok=True)
        if name == "checkout":
            _deploy(company)
    return repaired


def _deploy(company: Company) -> None:
    now = clock.now()
    took = timedelta(seconds=95)
    event = telling.deployment("checkout", now, took=took, env="production")
    telling.tell(company, [event])
