"""Regions and locations as people call them."""

from __future__ import annotations

from collections.abc import Sequence

WORDS = {
    "af": "Africa",
    "ap": "Asia Pacific",
    "apac": "Asia Pacific",
    "as": "Asia",
    "asia": "Asia",
    "au": "Australia",
    "ca": "Canada",
    "eu": "Europe",
    "europe": "Europe",
    "in": "India",
    "latam": "Latin America",
    "local": "this network",
    "me": "the Middle East",
    "na": "North America",
    "oc": "Oceania",
    "sa": "South America",
    "uk": "the UK",
    "us": "the US",
}


def region(code: str) -> str:
    """A region in a sentence: "eu" is "Europe"; one that is not known stays as it is written."""
    return WORDS.get(code.lower(), code)


def heading(code: str) -> str:
    """The same by itself: "us" is "US"."""
    words = region(code).removeprefix("the ")
    return words[:1].upper() + words[1:]


def within(codes: Sequence[str]) -> str:
    """Where a finding is: " in Europe", " in Europe and the US"; "" for everywhere."""
    names = [region(code) for code in codes]
    if not names:
        return ""
    if len(names) > 1:
        return f" in {', '.join(names[:-1])} and {names[-1]}"
    return f" in {names[0]}"


def short(name: str, of_region: str) -> str:
    """A location below its region's heading: "eu-west" of "eu" is "west"."""
    return name.removeprefix(f"{of_region}-") or name
