"""Where people see and edit a file of a hosted repository."""

from __future__ import annotations

from urllib.parse import quote

import msgspec


class Links(msgspec.Struct, frozen=True):
    """Web addresses of one file."""

    view: str
    edit: str


def repository_url(host: str, repository: str) -> str:
    """`https://github.com/owner/name`."""
    return f"https://{quote(host, safe=':')}/{quote(repository)}"


def links(host: str, repository: str, branch: str, path: str) -> Links | None:
    """Web addresses of a file; None on a host whose addresses are not known.

    GitHub, GitLab, Bitbucket, Gitea and Forgejo, also on a company's own host that has their name
    in its own.
    """
    home = repository_url(host, repository)
    at, file = quote(branch), quote(path)
    if "github" in host:
        return Links(f"{home}/blob/{at}/{file}", f"{home}/edit/{at}/{file}")
    if "gitlab" in host:
        return Links(f"{home}/-/blob/{at}/{file}", f"{home}/-/edit/{at}/{file}")
    if host == "bitbucket.org":
        view = f"{home}/src/{at}/{file}"
        return Links(view, f"{view}?mode=edit&at={quote(branch, safe='')}")
    if any(name in host for name in ("gitea", "forgejo", "codeberg")):
        return Links(f"{home}/src/branch/{at}/{file}", f"{home}/_edit/{at}/{file}")
    return None
