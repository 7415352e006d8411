"""A check with its locations, visited by hand: what the tests of rules share."""

from datetime import UTC, datetime, timedelta

from pilothouse.checks.model.documents import CheckSpec, Http, Judging, Maintenance
from pilothouse.checks.model.judging import Health
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.model.verdicts import Standing
from pilothouse.checks.rules import standing, terms, verdict

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WORLD = {f"{region}-{n}": region for region in ("eu", "us", "ap") for n in range(1, 5)}


def a_check(every="5m", windows=(), not_before=None, **judging):
    spec = CheckSpec(
        entity="component:default/shop",
        every=every,
        http=Http(url="https://shop.example/"),
        verdict=Judging(**judging),
        maintenance=tuple(Maintenance(**window) for window in windows),
    )
    return terms.of(spec, not_before=not_before)


def seconds(count):
    return NOON + timedelta(seconds=count)


class Places:
    """Locations that visit a check when the test says so."""

    def __init__(self, check=None, places=WORLD):
        self.terms = check or a_check()
        self.places = dict(places)
        self.standings: dict[str, Standing] = {}
        self.healths: dict[str, Health] = {}
        self.all("ok", -60)

    def see(self, place, outcome, at, *, confirms=False, reason="", fault=""):
        result = Result(
            id=0,
            check="check:default/pay",
            location=place,
            total=12.0,
            outcome=Outcome(outcome),
            reason=reason,
            fault=fault,
        )
        self.standings[place] = standing.step(
            self.standings.get(place),
            result,
            region=self.places[place],
            at=seconds(at),
            terms=self.terms,
            confirms=confirms,
        )
        return self.standings[place]

    def all(self, outcome, at, places=None, **how):
        for place in places or self.places:
            self.see(place, outcome, at, **how)

    def of(self, region):
        return [place for place in self.places if self.places[place] == region]

    def say(self, outcome, times, places):
        for at in times:
            self.all(outcome, at, places)

    def judge(self, at):
        return verdict.judge(self.terms, list(self.standings.values()), self.healths, seconds(at))
