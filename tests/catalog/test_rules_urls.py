"""Addresses of files on hosts of repositories."""

from __future__ import annotations

import pytest

from pilothouse.catalog.rules import urls


@pytest.mark.parametrize(
    ("host", "view", "edit"),
    [
        ("github.com", "/blob/a/b/x%20y.yaml", "/edit/a/b/x%20y.yaml"),
        ("git.gitlab.example:8443", "/-/blob/a/b/x%20y.yaml", "/-/edit/a/b/x%20y.yaml"),
        ("bitbucket.org", "/src/a/b/x%20y.yaml", "/src/a/b/x%20y.yaml?mode=edit&at=a%2Fb"),
        ("codeberg.org", "/src/branch/a/b/x%20y.yaml", "/_edit/a/b/x%20y.yaml"),
    ],
)
def test_each_host_writes_its_own_addresses(host: str, view: str, edit: str) -> None:
    home = f"https://{host}/acme/shop"

    assert urls.links(host, "acme/shop", "a/b", "x y.yaml") == urls.Links(home + view, home + edit)


def test_an_unknown_host_is_not_guessed_at() -> None:
    assert urls.links("git.example", "acme/shop", "main", "x.yaml") is None
