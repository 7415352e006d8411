"""Which addresses are addresses, and which a page may show as links."""

from __future__ import annotations

import pytest

from pilothouse.catalog.rules.links import is_safe_link, scheme_of


@pytest.mark.parametrize(
    ("url", "scheme"),
    [
        ("https://example.com/x?y#z", "https"),
        (" HTTPS://user:pw@example.com:8443", "https"),
        ("https:example.com", "https"),
        ("https:\\\\example.com", "https"),
        ("http://[::1]:80/", "http"),
        ("mailto:a@example.com", "mailto"),
        ("localhost:8080", "localhost"),
        ("java\nscript:alert(1)", "javascript"),
        ("data:text/html,x", "data"),
        ("file:", "file"),
        ("http://", None),
        ("http:///", None),
        ("http://a b", None),
        ("http://x:99999", None),
        ("//example.com", None),
        ("www.example.com", None),
        ("1a:b", None),
        ("", None),
    ],
)
def test_addresses_are_read_as_browsers_read_them(url, scheme):
    assert scheme_of(url) == scheme
    assert is_safe_link(url) == (scheme in ("http", "https", "mailto"))
