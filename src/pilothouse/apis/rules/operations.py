"""Rules about whole definitions, operations, their parameters, bodies and answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pilothouse.apis.model import Need, Parameter, Severity
from pilothouse.apis.rules.registry import (
    Answers,
    Bodies,
    Contents,
    Contracts,
    Difference,
    Operations,
    Parameters,
    rule,
)

BREAKING, WARNING, SAFE = Severity.BREAKING, Severity.WARNING, Severity.SAFE


def _gone(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """What only the old side has, in its order."""
    kept = set(new)
    return [name for name in dict.fromkeys(old) if name not in kept]


@rule(Contracts, "path-removed", BREAKING, "A path is gone with all of its operations")
def path_removed(site: Contracts) -> Iterator[Difference]:
    old, new = site.old.operations, site.new.operations
    for path in _gone((op.path for op in old), (op.path for op in new)):
        verbs = ", ".join(op.verb for op in old if op.path == path)
        yield Difference(f"{path} is gone", at=f"{verbs} {path}")


@rule(Contracts, "operation-removed", BREAKING, "An operation is gone from a path that stays")
def operation_removed(site: Contracts) -> Iterator[Difference]:
    paths = {op.path for op in site.new.operations}
    old = [op.key for op in site.old.operations if op.path in paths]
    for key in _gone(old, (op.key for op in site.new.operations)):
        yield Difference(f"{key} is gone", at=key)


@rule(Contracts, "operation-added", SAFE, "An operation is new")
def operation_added(site: Contracts) -> Iterator[Difference]:
    for key in _gone(
        (op.key for op in site.new.operations), (op.key for op in site.old.operations)
    ):
        yield Difference(f"{key} is new", at=key)


@rule(Contracts, "server-removed", WARNING, "An address of the API is gone")
def server_removed(site: Contracts) -> Iterator[Difference]:
    if site.new.servers:
        for url in _gone((s.url for s in site.old.servers), (s.url for s in site.new.servers)):
            yield Difference(f"The server {url} is gone", at="servers", was=url)


@rule(Contracts, "server-added", SAFE, "An address of the API is new")
def server_added(site: Contracts) -> Iterator[Difference]:
    for url in _gone((s.url for s in site.new.servers), (s.url for s in site.old.servers)):
        yield Difference(f"The server {url} is new", at="servers", now=url)


@rule(Contracts, "security-scheme-changed", BREAKING, "A way to prove who asks works otherwise")
def security_scheme_changed(site: Contracts) -> Iterator[Difference]:
    now = {scheme.name: scheme.kind for scheme in site.new.schemes}
    for scheme in site.old.schemes:
        if scheme.name in now and now[scheme.name] != scheme.kind:
            text = f"{scheme.name} is another kind of security"
            yield Difference(text, f"security {scheme.name}", scheme.kind, now[scheme.name])


@rule(Operations, "operation-deprecated", WARNING, "An operation is marked as deprecated")
def operation_deprecated(site: Operations) -> Iterator[Difference]:
    if site.new.deprecated and not site.old.deprecated:
        yield Difference("It is deprecated now")


@rule(Operations, "operation-reinstated", SAFE, "An operation is no longer deprecated")
def operation_reinstated(site: Operations) -> Iterator[Difference]:
    if site.old.deprecated and not site.new.deprecated:
        yield Difference("It is no longer deprecated")


@rule(Operations, "operation-id-changed", WARNING, "Generated clients call an operation otherwise")
def operation_id_changed(site: Operations) -> Iterator[Difference]:
    if site.old.id and site.new.id and site.old.id != site.new.id:
        yield Difference("Its operationId is another one", was=site.old.id, now=site.new.id)


def _named(parameter: Parameter) -> str:
    return f"{parameter.place} parameter {parameter.name}"


def _only(left: Operations, *, new: bool) -> list[Parameter]:
    """The parameters that only one side has."""
    ours, theirs = (left.new, left.old) if new else (left.old, left.new)
    known = {(p.place, p.name) for p in theirs.parameters}
    return [p for p in ours.parameters if (p.place, p.name) not in known]


@rule(
    Operations, "parameter-removed", BREAKING, "A parameter is gone: what it asked for is not done"
)
def parameter_removed(site: Operations) -> Iterator[Difference]:
    for parameter in _only(site, new=False):
        if parameter.place != "path":  # the path says it already
            yield Difference(f"The {_named(parameter)} is gone", at=f": {_named(parameter)}")


@rule(Operations, "required-parameter-added", BREAKING, "A parameter is new and must be given")
def required_parameter_added(site: Operations) -> Iterator[Difference]:
    for parameter in _only(site, new=True):
        if parameter.required and parameter.place != "path":
            text = f"The {_named(parameter)} is new and must be given"
            yield Difference(text, at=f": {_named(parameter)}")


@rule(Operations, "optional-parameter-added", SAFE, "A parameter is new and may be left out")
def optional_parameter_added(site: Operations) -> Iterator[Difference]:
    for parameter in _only(site, new=True):
        if not parameter.required:
            yield Difference(f"The {_named(parameter)} is new", at=f": {_named(parameter)}")


@rule(Operations, "body-removed", BREAKING, "A request no longer takes a body")
def body_removed(site: Operations) -> Iterator[Difference]:
    if site.old.body and not site.new.body:
        yield Difference("It takes no body any more", at=": body")


@rule(Operations, "required-body-added", BREAKING, "A request must have a body, which it had not")
def required_body_added(site: Operations) -> Iterator[Difference]:
    if site.new.body and site.new.body.required and not site.old.body:
        yield Difference("It must have a body now", at=": body")


@rule(Operations, "optional-body-added", SAFE, "A request may have a body, which it had not")
def optional_body_added(site: Operations) -> Iterator[Difference]:
    if site.new.body and not site.new.body.required and not site.old.body:
        yield Difference("It may have a body now", at=": body")


def _is_success(status: str) -> bool:
    return status[:1] == "2" or not status[:1].isdigit()


@rule(Operations, "answer-removed", BREAKING, "An answer that says it worked is gone")
def answer_removed(site: Operations) -> Iterator[Difference]:
    for status in _gone((a.status for a in site.old.answers), (a.status for a in site.new.answers)):
        if _is_success(status):
            yield Difference(f"The answer {status} is gone", at=f": answer {status}")


@rule(Operations, "error-answer-removed", WARNING, "An answer that says it failed is gone")
def error_answer_removed(site: Operations) -> Iterator[Difference]:
    for status in _gone((a.status for a in site.old.answers), (a.status for a in site.new.answers)):
        if not _is_success(status):
            yield Difference(f"The answer {status} is gone", at=f": answer {status}")


@rule(Operations, "answer-added", SAFE, "An answer is new")
def answer_added(site: Operations) -> Iterator[Difference]:
    for status in _gone((a.status for a in site.new.answers), (a.status for a in site.old.answers)):
        yield Difference(f"The answer {status} is new", at=f": answer {status}")


def _lets_in(needs: tuple[Need, ...], offered: Need) -> bool:
    """Whether someone who satisfies `offered` satisfies one of these, scopes included."""
    held = {name: set(scopes) for name, scopes in offered.schemes}
    return not needs or any(
        all(name in held and held[name] >= set(scopes) for name, scopes in need.schemes)
        for need in needs
    )


def _said(need: Need) -> str:
    if not need.schemes:
        return "nothing"
    return " and ".join(
        f"{name} ({', '.join(scopes)})" if scopes else name for name, scopes in need.schemes
    )


NOTHING = (Need(()),)


@rule(
    Operations, "security-added", BREAKING, "Who could ask is no longer let in: security or a scope"
)
def security_added(site: Operations) -> Iterator[Difference]:
    now = " or ".join(map(_said, site.new.needs)) or "nothing"
    for need in site.old.needs or NOTHING:
        if not _lets_in(site.new.needs, need):
            text = f"Who has {_said(need)} is not let in any more"
            yield Difference(text, ": security", _said(need), now)


@rule(Operations, "security-removed", SAFE, "More people are let in than before")
def security_removed(site: Operations) -> Iterator[Difference]:
    was = " or ".join(map(_said, site.old.needs)) or "nothing"
    for need in site.new.needs or NOTHING:
        if not _lets_in(site.old.needs, need):
            yield Difference(
                f"{_said(need)} is enough now".capitalize(), ": security", was, _said(need)
            )


@rule(
    Parameters,
    "parameter-became-required",
    BREAKING,
    "A parameter that could be left out must be given",
)
def parameter_became_required(site: Parameters) -> Iterator[Difference]:
    if site.new.required and not site.old.required:
        yield Difference("It must be given now")


@rule(
    Parameters,
    "parameter-became-optional",
    SAFE,
    "A parameter that had to be given may be left out",
)
def parameter_became_optional(site: Parameters) -> Iterator[Difference]:
    if site.old.required and not site.new.required:
        yield Difference("It may be left out now")


@rule(
    Parameters,
    "parameter-style-changed",
    BREAKING,
    "Lists or objects in a parameter are written otherwise",
)
def parameter_style_changed(site: Parameters) -> Iterator[Difference]:
    if site.old.style != site.new.style and site.old.style and site.new.style:
        yield Difference("It is written otherwise", was=site.old.style, now=site.new.style)


@rule(Parameters, "parameter-deprecated", WARNING, "A parameter is marked as deprecated")
def parameter_deprecated(site: Parameters) -> Iterator[Difference]:
    if site.new.deprecated and not site.old.deprecated:
        yield Difference("It is deprecated now")


@rule(Bodies, "body-became-required", BREAKING, "A body that could be left out must be there")
def body_became_required(site: Bodies) -> Iterator[Difference]:
    if site.new.required and not site.old.required:
        yield Difference("The body must be there now")


@rule(Bodies, "body-became-optional", SAFE, "A body that had to be there may be left out")
def body_became_optional(site: Bodies) -> Iterator[Difference]:
    if site.old.required and not site.new.required:
        yield Difference("The body may be left out now")


@rule(
    Contents,
    "media-type-removed",
    BREAKING,
    "A body is no longer taken or given in a media type; a message is gone",
)
def media_type_removed(site: Contents) -> Iterator[Difference]:
    for media in _gone((c.media for c in site.old), (c.media for c in site.new)):
        yield Difference(f"{media} is gone", at=f" {media}")


@rule(
    Contents,
    "media-type-added",
    SAFE,
    "A body is also taken or given in a media type; a message is new",
)
def media_type_added(site: Contents) -> Iterator[Difference]:
    for media in _gone((c.media for c in site.new), (c.media for c in site.old)):
        yield Difference(f"{media} is new", at=f" {media}")


@rule(Answers, "answer-header-removed", BREAKING, "A header of an answer is gone")
def answer_header_removed(site: Answers) -> Iterator[Difference]:
    old, new = ((h.name.lower() for h in a.headers) for a in (site.old, site.new))
    for name in _gone(old, new):
        yield Difference(f"The header {name} is gone", at=f": header {name}")


@rule(Answers, "answer-header-added", SAFE, "A header of an answer is new")
def answer_header_added(site: Answers) -> Iterator[Difference]:
    old, new = ((h.name.lower() for h in a.headers) for a in (site.old, site.new))
    for name in _gone(new, old):
        yield Difference(f"The header {name} is new", at=f": header {name}")


@rule(Answers, "answer-header-became-optional", BREAKING, "A header of an answer may be absent now")
def answer_header_became_optional(site: Answers) -> Iterator[Difference]:
    optional = {header.name.lower() for header in site.new.headers if not header.required}
    for header in site.old.headers:
        if header.required and header.name.lower() in optional:
            yield Difference(
                f"The header {header.name} may be absent", at=f": header {header.name}"
            )
