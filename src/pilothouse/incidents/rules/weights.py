"""How much each sign weighs: frozen.

Learned by `python benchmarks/suspects_fit.py` on its training seeds, as docs/suspects.md says. The
test seed of benchmarks/suspects.py was drawn after. What is not here weighs nothing.
"""

from __future__ import annotations

from types import MappingProxyType

WEIGHTS = MappingProxyType(
    {
        "cascade.first": 0.52,
        "cascade.late": -1.12,
        "cascade.passed": -0.10,
        "failed.yes": -0.16,
        "graph.above": -0.31,
        "graph.apart": -0.90,
        "graph.below1": 1.34,
        "graph.below2": 0.05,
        "graph.beside": -0.69,
        "graph.self": 2.17,
        "history.cause": 0.33,
        "history.cleared": -0.38,
        "kind.catalog": -1.34,
        "kind.config": 0.30,
        "kind.data": -0.25,
        "kind.deployment": 0.31,
        "kind.flag": 0.14,
        "kind.maintenance": 0.30,
        "kind.schedule": -1.59,
        "kind.vendor": 0.54,
        "nearness.10m": 4.06,
        "nearness.1h": 1.16,
        "nearness.24h": -1.19,
        "nearness.30m": 2.28,
        "nearness.3m": 4.48,
        "nearness.8h": -0.36,
        "nearness.after": -0.11,
        "nearness.later": -0.10,
        "nearness.older": -0.20,
        "nearness.same": 1.45,
        "nobody": 3.68,
        "often.many": -0.36,
        "often.some": -0.20,
        "regions.apart": -1.97,
        "regions.match": 2.61,
        "regions.wide": -0.90,
        "same.fine": -0.10,
        "same.sick": 0.12,
        "shared.all": 1.70,
        "shared.most": 1.10,
        "size.large": 0.79,
        "size.small": -0.37,
        "standing.healthy": -0.96,
        "undoing.yes": -1.11,
        "undone.helped": 6.42,
        "undone.later": -0.10,
        "undone.vain": -0.25,
    }
)
