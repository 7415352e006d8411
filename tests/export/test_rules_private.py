"""What is private never comes through, and what only looks like it does."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.export.rules.private import ADDRESS, SECRET, beginning, scrub, scrub_page
from pilothouse.kernel import markup

PEOPLE = frozenset(("maya@example.org", "ops@corp.io"))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ask jane.doe+pager@corp.io today", f"ask {ADDRESS} today"),
        ("&lt;Jane@Corp.IO&gt;", f"&lt;{ADDRESS}&gt;"),
        ("mailto:jane@corp.io?subject=x", f"mailto:{ADDRESS}?subject=x"),
        ("a@corp.io, b@corp.io", f"{ADDRESS}, {ADDRESS}"),
        ("user@example.com and you@shop.test", "user@example.com and you@shop.test"),
        ("Maya@example.org is known", f"{ADDRESS} is known"),
        ("git@github.com:shop/pay.git", "git@github.com:shop/pay.git"),
        ("ssh admin@db1.corp.io", "ssh admin@db1.corp.io"),
        ("ssh ops@corp.io", f"ssh {ADDRESS}"),
        ("https://bot:s3cr3t@git.corp.io/x.git", "https://git.corp.io/x.git"),
        ("https://ghp_abc@git.corp.io/x.git", "https://git.corp.io/x.git"),
        ("postgresql://pilot:pw@db/x", "postgresql://db/x"),
        (
            "https://x.io/a?private_token=abcdef123&b=1",
            f"https://x.io/a?private_token={SECRET}&b=1",
        ),
        ("Authorization: Bearer abcdefghijklmnopqrst", f"Authorization: Bearer {SECRET}"),
        ("ghp_" + "a" * 36, SECRET),
        ("key AKIAABCDEFGHIJKLMNOP.", f"key {SECRET}."),
        ("ph_" + "Zz09-_" * 6, SECRET),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", SECRET),
        (
            "@media and @app.route and npm @scope/x@1.2.3",
            "@media and @app.route and npm @scope/x@1.2.3",
        ),
        ("https://github.com/a/b/blob/main/@x/y.md", "https://github.com/a/b/blob/main/@x/y.md"),
    ],
)
def test_contacts_and_secrets_are_left_out(text: str, left: str) -> None:
    assert scrub(text, PEOPLE) == left


@given(st.text(), st.text(), st.sampled_from(sorted(PEOPLE)))
def test_nobody_known_is_named_whatever_stands_around(before: str, after: str, who: str) -> None:
    text = f"{before} {who} {after}"
    assert who not in scrub(text, PEOPLE).lower()


@given(st.text(alphabet=st.characters(exclude_characters="@"), max_size=200))
def test_plain_words_stay(text: str) -> None:
    words = " ".join(text.replace(":", " ").replace("_", " ").replace("-", " ").split())
    assert scrub(words) == words or "earer" in words.lower() or "=" in words


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<b>jane</b>@<i>corp.io</i>!", f"<b>{ADDRESS}</b><i></i>!"),
        ("<p>jane</p><p>@corp.io</p>", "<p>jane</p><p>@corp.io</p>"),
        ("<i>x</i> maya<!-- - -->@example.org", f"<i>x</i> {ADDRESS}<!-- - -->"),
        ('<a href="mailto:jane@corp.io">J</a>', f'<a href="mailto:{ADDRESS}">J</a>'),
        (
            'corp.io/?access_token<span class="o">=</span>abcdef<b title="a > b">12</b>34 on',
            f'corp.io/?access_token<span class="o">=</span>{SECRET}<b title="a > b"></b> on',
        ),
        (
            "<i>-----BEGIN PRIVATE KEY-----</i>\n<i>MIIE</i>\n<i>-----END PRIVATE KEY-----</i>.",
            f"<i>{SECRET}</i><i></i><i></i>.",
        ),
        ("<s>ssh</s> <s>me</s>@db1.corp.io", "<s>ssh</s> <s>me</s>@db1.corp.io"),
        ("<p>1 < 2 & 3 > 2</p>", "<p>1 < 2 & 3 > 2</p>"),
    ],
)
def test_tags_within_hide_nothing_and_stay(html: str, left: str) -> None:
    assert scrub_page(html, PEOPLE) == left


@pytest.mark.parametrize("language", ["bash", "console", "sql", "python", "json", "yaml", "php"])
def test_coloured_code_hides_nothing(language: str) -> None:
    text = (
        "$ curl https://x.io/?access_token=abcdef1234567890 jane.doe@corp.com maya@example.org\n"
        '-- \'jane.doe@corp.com\', {"x": "jane.doe@corp.com"}\n'
    )
    html = scrub_page(f"<pre>{markup.code(text, language)}</pre>", PEOPLE)
    shown = re.sub("<[^>]*>", "", html)
    assert not any(part in shown for part in ("abcdef", "jane", "doe", "maya", "corp.com"))
    assert shown.count(ADDRESS) == 4


@given(st.text(st.sampled_from("ab.@<>&\"' \n"), max_size=20), st.data())
def test_a_contact_is_found_wherever_tags_divide_it(around: str, data: st.DataObject) -> None:
    who = "ops@corp.io"
    cuts = data.draw(st.sets(st.integers(1, len(who) - 1)))
    parts = [who[start:end] for start, end in pairwise([0, *sorted(cuts), len(who)])]
    html = f"<p>{around.replace('<', '&lt;')} {'</b><i>'.join(parts)} </p>"
    assert "ops" not in re.sub("<[^>]*>", "", scrub_page(html, PEOPLE))


@given(st.text(st.sampled_from("ab.@<>&=\"' \n-"), max_size=60))
def test_no_tag_is_lost(html: str) -> None:
    assert scrub_page(html, PEOPLE).count("<") == html.count("<")


@pytest.mark.parametrize(
    "text", ["https://x.io/?token=abcdef123", "jane@corp.io", "Bearer " + "a" * 20]
)
def test_what_is_left_out_already_stays_so(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the key ghp_abcdefghij", "the key"),
        ("ghp_abcdefghijklmnopq", ""),
        ("a -----BEGIN PRIVATE KEY----- MIIE MIIF", "a "),
        ("-----BEGIN X----- M -----END X----- and", "-----BEGIN X----- M -----END X-----"),
    ],
)
def test_a_text_is_cut_before_a_secret_that_goes_on(text: str, left: str) -> None:
    assert beginning(f"{text}REST", len(text)) == left
    assert beginning(text, len(text) + 1) == text


@pytest.mark.parametrize(
    "text",
    [r'"Ask\nmaya@example.org"', "to.maya@example.org", "maya@example.org-2", "git@ops@corp.io"],
)
def test_a_contact_is_known_beside_other_signs(text: str) -> None:
    assert not re.search("maya|ops", scrub(text, PEOPLE))
