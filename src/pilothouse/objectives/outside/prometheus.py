"""Asking Prometheus servers, by their HTTP API."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pilothouse.kernel import outgoing
from pilothouse.kernel.errors import Invalid
from pilothouse.objectives.formats import prometheus as answers
from pilothouse.objectives.model.objectives import Asked, Ratio, Raw, Threshold

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pilothouse.kernel.measurements.model import Count
    from pilothouse.objectives.model.objectives import Metric, Source

STEP = 60  # seconds
BROKEN = 500  # a status from here on is the server's fault
_SECRET = re.compile(r"\$\{secret:([A-Z0-9_]{1,100})\}")


class Server:
    """Prometheus servers, for one round: one that does not answer is asked no more."""

    def __init__(self, trusted: frozenset[str], environ: Mapping[str, str] | None = None) -> None:
        self.trusted = trusted
        self.environ = os.environ if environ is None else environ
        self.silent: dict[str, str] = {}

    def counts(self, metric: Metric, start: datetime, end: datetime) -> list[Count]:
        """Good and all by minute, from `start` on and before `end`.

        Raises Unreachable, Forbidden as `outgoing.fetch` does, Invalid for an answer that says an
        error.
        """
        if isinstance(metric, Threshold):
            return answers.held(self._ask(metric.source, start, end), metric.op, metric.value)
        if isinstance(metric, Raw):
            return answers.shares(self._ask(metric.source, start, end), failure=metric.failure)
        return self._ratio(metric, start, end)

    def _ratio(self, metric: Ratio, start: datetime, end: datetime) -> list[Count]:
        part = metric.good or metric.bad
        if part is None:
            return []
        add = answers.grown if metric.counter else answers.added
        total = add(self._ask(metric.total, start, end))
        share = add(self._ask(part, start, end))
        return answers.good_of(total, share, bad=metric.bad is not None)

    def _ask(self, source: Source, start: datetime, end: datetime) -> list[dict[datetime, float]]:
        """The series of a query, from `start` to `end`, both included."""
        if not isinstance(source, Asked):
            raise Invalid("a ratio is of one source: of Prometheus, or of ours")
        host = outgoing.host_of(source.url)
        if host in self.silent:
            raise outgoing.Unreachable(self.silent[host])
        asked = urlencode(
            {
                "query": source.query,
                "start": f"{start.timestamp():.0f}",
                "end": f"{end.timestamp():.0f}",
                "step": STEP,
            }
        )
        url = f"{source.url.rstrip('/')}/api/v1/query_range?{asked}"
        try:
            reply = outgoing.fetch("GET", url, self._headers(source, host), trusted=self.trusted)
        except outgoing.TooMuch:
            raise  # of this query alone; the server is there
        except outgoing.Unreachable as error:
            self.silent[host] = str(error)
            raise
        if reply.status >= BROKEN and not reply.body.startswith(b"{"):
            raise outgoing.Unreachable(f"{host} answered {reply.status}")
        return answers.points(reply.body)

    def _headers(self, source: Asked, host: str) -> dict[str, str]:
        """A token goes only where an admin said that we may ask: a document can name any host."""
        if not source.token:
            return {}
        if host not in self.trusted:
            raise outgoing.Forbidden(f"a token is sent only to trusted_hosts, and {host} is none")
        named = _SECRET.fullmatch(source.token)
        if named is None:
            raise Invalid("connectionDetails.bearer is written ${secret:NAME}")
        token = self.environ.get(f"PILOTHOUSE_SECRET_{named[1]}")
        if not token:
            raise Invalid(f"PILOTHOUSE_SECRET_{named[1]} is not set here")
        return {"Authorization": f"Bearer {token}"}
