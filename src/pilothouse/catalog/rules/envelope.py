"""The envelope every document has: apiVersion, kind, metadata, spec.

Source: npm @backstage/catalog-model 1.10.1 (Entity and EntityMeta schemas, FieldFormatEntityPolicy,
NoForeignRootFieldsEntityPolicy). OpenSLO documents keep their own rules for labels and annotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pilothouse.catalog.rules import names
from pilothouse.catalog.rules.findings import Findings, Said, described
from pilothouse.catalog.rules.links import is_safe_link, scheme_of
from pilothouse.catalog.rules.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.catalog.model import Path

ROOT: Final = ("apiVersion", "kind", "metadata", "spec")
METADATA: Final = (
    "name",
    "namespace",
    "title",
    "description",
    "labels",
    "annotations",
    "tags",
    "links",
    "uid",
    "etag",
)
_LINK = ("url", "title", "icon", "type")
TEXT = "a text"
FILLED = "a text that is not empty"
_META: Path = ("metadata",)


def check_envelope(value: dict[str, Any], findings: Findings) -> None:
    """Everything about a document but its spec's own fields."""
    for key in value:
        if key not in ROOT:
            _unknown_root(key, value, findings)
    _form(value, "apiVersion", findings)
    _form(value, "kind", findings)
    if "metadata" not in value:
        hint = near_key(value, "metadata", ROOT)
        findings.missing(_META, hint)
    elif not isinstance(value["metadata"], dict):
        findings.wrong_type(_META, value["metadata"], "a mapping")
    else:
        _check_metadata(value["metadata"], findings, foreign=is_foreign(value))
    if "spec" in value and not isinstance(value["spec"], dict):
        findings.wrong_type(("spec",), value["spec"], "a mapping")


def is_foreign(value: dict[str, Any]) -> bool:
    """Whether the document follows another project's metadata rules (OpenSLO's)."""
    version = value.get("apiVersion")
    return isinstance(version, str) and version.startswith("openslo/")


def near_key(mapping: dict[str, Any], wanted: str, known: Iterable[str]) -> str | None:
    """For an absent key: "did you mean" of a key that is there and is a slip of it."""
    known = set(known)
    found = nearest(wanted, (key for key in mapping if key not in known))
    return f'"{found}" is probably meant to be "{wanted}"' if found else None


def warn_of_slips(
    mapping: dict[str, Any], known: Iterable[str], path: Path, findings: Findings
) -> None:
    """A warning for each key that is not known and one slip from a known one that is absent."""
    known = list(known)
    absent = [one for one in known if one not in mapping]
    for key in mapping:
        if key not in known and (meant := nearest(key, absent)):
            message = f'nobody reads "{key}": probably "{meant}" is meant'
            findings.add("misspelt-field", (*path, key), message, Said(key, meant, meant))


def _unknown_root(key: str, value: dict[str, Any], findings: Findings) -> None:
    meant = nearest(key, (one for one in ROOT if one not in value))
    hint = f'probably "{meant}" is meant' if meant else "everything else belongs into spec"
    expected = ", ".join(ROOT)
    message = f'"{key}" cannot stand here: a document has {expected}'
    findings.add("unknown-root-field", (key,), message, Said(key, expected, hint))


def _form(value: dict[str, Any], key: str, findings: Findings) -> None:
    is_valid, code, expected = {
        "apiVersion": (names.is_api_version, "bad-api-version", names.API_VERSION_EXPECTED),
        "kind": (names.is_kind, "bad-kind", names.KIND_EXPECTED),
    }[key]
    found = value.get(key)
    if key not in value:
        findings.missing((key,), near_key(value, key, ROOT))
    elif not isinstance(found, str) or not found:
        findings.wrong_type((key,), found, FILLED)
    elif not is_valid(found) and not findings.lookalikes("lookalike-letter", (key,), found):
        findings.bad_form(code, (key,), found, expected)


def _check_metadata(meta: dict[str, Any], findings: Findings, *, foreign: bool) -> None:
    _check_name(meta, findings)
    for key, expected in (
        ("title", FILLED),
        ("uid", FILLED),
        ("etag", FILLED),
        ("description", TEXT),
    ):
        if key in meta and not _is_text(meta[key], expected):
            findings.wrong_type((*_META, key), meta[key], expected)
    if foreign:
        return
    _check_texts(meta, "labels", findings)
    _check_texts(meta, "annotations", findings)
    _check_tags(meta, findings)
    _check_links(meta, findings)
    warn_of_slips(meta, METADATA, _META, findings)


def _check_name(meta: dict[str, Any], findings: Findings) -> None:
    path = (*_META, "name")
    if "name" not in meta:
        findings.missing(path, near_key(meta, "name", METADATA))
    else:
        _check_named(path, meta["name"], findings)
    if "namespace" in meta:
        _check_named((*_META, "namespace"), meta["namespace"], findings)


def _check_named(path: Path, found: Any, findings: Findings) -> None:
    name = path[-1] == "name"
    is_valid = names.is_name if name else names.is_namespace
    if not isinstance(found, str) or not found:
        findings.wrong_type(path, found, FILLED)
    elif not is_valid(found) and not findings.lookalikes("lookalike-letter", path, found):
        expected = names.NAME_EXPECTED if name else names.NAMESPACE_EXPECTED
        findings.bad_form("bad-name" if name else "bad-namespace", path, found, expected)


def _check_texts(meta: dict[str, Any], field: str, findings: Findings) -> None:
    """Labels or annotations."""
    found = meta.get(field)
    if field not in meta:
        return
    if not isinstance(found, dict):
        findings.wrong_type((*_META, field), found, "a mapping of texts")
        return
    for key, item in found.items():
        path = (*_META, field, key)
        if not names.is_key(key):
            message = f'{field} cannot have the key "{key}": expected {names.KEY_EXPECTED}'
            findings.add("bad-key", path, message, Said(key, names.KEY_EXPECTED))
        if not isinstance(item, str):
            findings.wrong_type(path, item, TEXT)
        elif field == "labels" and not names.is_label_value(item):
            findings.bad_form("bad-label", path, item, names.LABEL_VALUE_EXPECTED)


def _check_tags(meta: dict[str, Any], findings: Findings) -> None:
    tags = meta.get("tags", [])
    path = (*_META, "tags")
    if not isinstance(tags, list):
        findings.wrong_type(path, tags, "a list of texts")
        return
    for index, tag in enumerate(tags):
        if not isinstance(tag, str) or not tag:
            findings.wrong_type((*path, index), tag, FILLED)
        elif not names.is_tag(tag):
            lower = tag.lower().replace(" ", "-").replace("_", "-")
            hint = f'"{lower}" can' if names.is_tag(lower) else None
            message = f"{described(tag)} cannot be a tag: expected {names.TAG_EXPECTED}"
            findings.add("bad-tag", (*path, index), message, Said(tag, names.TAG_EXPECTED, hint))


def _check_links(meta: dict[str, Any], findings: Findings) -> None:
    links = meta.get("links", [])
    path = (*_META, "links")
    if not isinstance(links, list):
        findings.wrong_type(path, links, "a list of mappings")
        return
    for index, link in enumerate(links):
        if not isinstance(link, dict):
            findings.wrong_type((*path, index), link, "a mapping with url")
            continue
        for key in _LINK:
            if key in link and not _is_filled(link[key]):
                findings.wrong_type((*path, index, key), link[key], FILLED)
        _check_url(link, (*path, index), findings)


def _check_url(link: dict[str, Any], path: Path, findings: Findings) -> None:
    if "url" not in link:
        findings.missing((*path, "url"), near_key(link, "url", _LINK))
        return
    url = link["url"]
    if not isinstance(url, str) or not url:
        return
    if scheme_of(url) is None:
        expected = "an address such as https://example.com/"
        findings.bad_form("bad-url", (*path, "url"), url, expected)
    elif not is_safe_link(url):
        message = f"{described(url)} is never shown as a link: only http, https and mailto are"
        findings.add("bad-link", (*path, "url"), message, Said(url, "http, https or mailto"))


def _is_text(value: Any, expected: str) -> bool:
    return isinstance(value, str) and (expected == TEXT or bool(value))


def _is_filled(value: Any) -> bool:
    """Backstage's isNonEmptyString: more than blanks."""
    return isinstance(value, str) and bool(value.strip())
