"""One visit, as the agent makes it, for the tests of probes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pilothouse.agent.probes import of_type
from pilothouse.agent.secrets import Redactor
from pilothouse.agent.seen import Seen, Visit
from pilothouse.checks.model.documents import CheckSpec


def look(
    spec: Any,
    *,
    seconds: float = 5.0,
    allowed: Callable[[str, int], bool] = lambda _address, _port: True,
    hidden: tuple[str, ...] = (),
    scripts: bool = False,
    expect: tuple[str, ...] = (),
) -> Seen:
    """What the probe of this type of check sees."""

    async def looked() -> Seen:
        kind = type(spec).__name__.lower()
        check = CheckSpec(entity="component:default/shop", expect=expect, **{kind: spec})
        until = asyncio.get_running_loop().time() + seconds
        probe = of_type(kind)
        assert probe is not None
        return await probe(
            Visit("check:default/x", check, until, allowed, Redactor(hidden), scripts)
        )

    return asyncio.run(looked())
