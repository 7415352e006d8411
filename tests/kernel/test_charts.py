"""Charts: on one scale from zero, with their numbers in words, and no gap drawn as a zero."""

import re
import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.kernel.charts import Bar, Part, bars, curve, percent

parts = st.builds(Part, st.integers(0, 10**6), st.sampled_from(["1", "bad"]))
some_bars = st.lists(
    st.builds(
        Bar,
        st.lists(parts, max_size=3).map(tuple),
        # Without what HTML may hold and the parser of XML that reads it here may not.
        st.text(
            st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"),
            max_size=12,
        ),
        st.sampled_from(["", "W48", "<b>"]),
        st.sampled_from(["", "/deploys?a=1&b=2"]),
    ),
    max_size=20,
)


@given(some_bars)
def test_bars_are_whole_svg_within_their_box(found):
    drawn = ET.fromstring(str(bars(found, 'a "finding" & more')))
    assert drawn.get("aria-label") == 'a "finding" & more'
    height = 120
    for rect in drawn.iter("rect"):
        assert float(rect.get("y")) >= -2 * 3
        assert float(rect.get("y")) + float(rect.get("height")) <= height + 1
        left = float(rect.get("x").rstrip("%"))
        assert -0.01 <= left <= 100.01
        assert left + float(rect.get("width").rstrip("%")) <= 100.1
    assert "style" not in drawn.attrib


@given(some_bars)
def test_bars_that_lead_somewhere_are_a_group_of_named_links(found):
    drawn = ET.fromstring(str(bars(found, "x")))
    links = list(drawn.iter("a"))
    assert len(links) == sum(bool(bar.href) for bar in found)
    assert drawn.get("role") == ("group" if links else "img")
    assert all(link.get("aria-label") is not None for link in links)


def test_the_highest_bar_reaches_the_top_and_half_of_it_half():
    drawn = str(bars([Bar((Part(10, "1"),), "ten"), Bar((Part(5, "1"),), "five")], "x"))
    tall = [float(h) for h in re.findall(r'class="m m-1"[^>]*height="([\d.]+)"', drawn)]
    assert tall == [106.0, 53.0]


def test_a_scale_may_reach_higher_than_any_value():
    drawn = str(bars([Bar((Part(5, "1"),), "five")], "x", top=10))
    assert ">10</text>" in drawn


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=30))
def test_a_gap_in_a_curve_is_a_gap(values):
    drawn = str(curve(values, "x"))
    ET.fromstring(drawn)
    runs = "".join("." if value is None else "v" for value in values).split(".")
    assert drawn.count("<polyline") == sum(len(run) > 1 for run in runs)


def test_nothing_at_all_is_an_empty_chart():
    assert "<rect" not in bars([], "nothing")
    assert "<poly" not in curve([], "nothing")


def test_places_are_short():
    assert [percent(value) for value in (0, 12.5, 33.3333, 100)] == [
        "0%",
        "12.5%",
        "33.33%",
        "100%",
    ]
