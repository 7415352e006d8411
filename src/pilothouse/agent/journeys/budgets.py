"""What others may cost our pages."""

from __future__ import annotations

from pilothouse.checks.model.documents import ThirdParty
from pilothouse.checks.model.results import Browsed


def over(budget: ThirdParty, browsed: Browsed) -> str:
    """Which budgets are spent, as a sentence; "" when none is."""
    said = []
    blocked = browsed.third_party_blocking
    if budget.blocking_ms is not None and blocked is not None and blocked > budget.blocking_ms:
        said.append(
            f"third parties kept the main thread for {blocked:,.0f} ms, "
            f"{budget.blocking_ms:,.0f} ms are their budget"
        )
    for host, most in budget.hosts.items():
        took = browsed.third_party.get(host, 0.0)
        if took > most:
            said.append(f"requests to {host} took {took:,.0f} ms, {most:,.0f} ms are their budget")
    return "; ".join(said)
