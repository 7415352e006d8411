"""The index holds every word, in files that a page loads one by one."""

import json
import re
import weakref

from hypothesis import given
from hypothesis import strategies as st

from pilothouse.export.rules.indexing import Entry, Line, by_letter, index, shard, words


def read(files, name):
    text = files[name].decode()
    return json.loads(text[text.index(",") + 1 : text.rindex(")")])


def numbers(packed):
    found, at = [], 0
    for part in packed.split("."):
        if part:
            at += int(part, 36)
            found.append(at)
    return found


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=80)), max_size=30))
def test_whatever_has_a_word_is_found_by_it(things):
    files = index([(Entry(title, "doc", "x"), text) for title, text in things])
    for number, (title, text) in enumerate(things):
        for word in words(f"{title} {text}"):
            in_titles, in_texts = read(files, f"search/w.{shard(word)}.js")[word].split(";")
            assert number in numbers(in_titles) + numbers(in_texts)
    assert all(re.fullmatch(r"search/[wt]\.[a-z0-9_]{1,6}\.js", name) for name in files)


def test_texts_are_let_go_of_one_by_one():
    class Text(str):
        """A text of which it can be told whether it is held."""

        __slots__ = ("__weakref__",)

    held = weakref.WeakSet()

    def entries():
        for number in range(5):
            text = Text(f"word{number} other")
            held.add(text)
            assert len(held) <= 2
            yield Entry(f"title{number}", "doc", "x"), text

    assert "search/w.wo.js" in index(entries())


def test_a_file_of_the_index_is_a_classic_script():
    files = index([(Entry("Pay\u2028now", "doc", "a/index.html", "Shop"), "</script>")])
    assert files["search/t.0.js"].decode() == (
        'pilothouseTitles("0",[["Pay\\u2028now","doc","a/index.html","Shop"]]);\n'
    )


def test_everything_is_listed_by_its_first_letter():
    lines = [Line(title, "doc", f"/{title}") for title in ("beta", "Alpha", "alps", "Ünder", "7up")]
    pages = by_letter(lines, most=1)
    assert [page.name for page in pages] == ["other-1", "7-1", "a-1", "a-2", "b-1"]
    assert [line.title for page in pages for line in page.lines] == [
        "Ünder",
        "7up",
        "Alpha",
        "alps",
        "beta",
    ]
