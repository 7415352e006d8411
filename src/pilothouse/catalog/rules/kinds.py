"""Backstage's kinds: which fields a spec must have and may have, and the relations they make.

Source: npm @backstage/catalog-model 1.10.1 (schema/kinds) and plugin-catalog-backend 4.0.0
(BuiltinKindsEntityProcessor).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pilothouse.kernel.module import Reference


class Relation(msgspec.Struct, frozen=True):
    """A pair of relation types; only the first is kept, from its source's side."""

    kept: str
    reverse: str


RELATIONS: Final = (
    Relation("ownedBy", "ownerOf"),
    Relation("partOf", "hasPart"),
    Relation("providesApi", "apiProvidedBy"),
    Relation("consumesApi", "apiConsumedBy"),
    Relation("dependsOn", "dependencyOf"),
    Relation("memberOf", "hasMember"),
    Relation("childOf", "parentOf"),
)
REVERSE: Final[Mapping[str, str]] = MappingProxyType(
    {relation.kept: relation.reverse for relation in RELATIONS}
)


def reverse_of(relation: str) -> str | None:
    """What a kept relation is called seen from its target; None for one that is not Backstage's."""
    return REVERSE.get(relation)


class Shape(Enum):
    """What a field of a Backstage spec holds; the value is said in messages."""

    TEXT = "a text that is not empty"
    TEXTS = "a list of texts, none of them empty"
    TEXT_OR_TEXTS = "a text or a list of texts, none of them empty"
    PROFILE = "a mapping"
    REMOTES = "a list of mappings with type and url"
    PRESENCE = "a text: required or optional"
    ANY = "anything"


class SpecShape(msgspec.Struct, frozen=True):
    """One kind of Backstage's. Fields that are not named here are allowed."""

    required: Mapping[str, Shape] = {}
    optional: Mapping[str, Shape] = {}
    references: tuple[Reference, ...] = ()
    api_versions: tuple[str, ...] = ("backstage.io/v1alpha1", "backstage.io/v1beta1")

    @property
    def fields(self) -> dict[str, Shape]:
        return {**self.required, **self.optional}


_OWNER = Reference("owner", "ownedBy", "Group")
_SYSTEM = Reference("system", "partOf", "System")
_DEPENDS_ON = Reference("dependsOn", "dependsOn")
_DEPENDENCY_OF = Reference("dependencyOf", "dependsOn", reverse=True)
_AI = ("backstage.io/v1alpha1",)


def _texts(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, Shape.TEXT)


def _lists(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, Shape.TEXTS)


_API = SpecShape(
    _texts("type", "lifecycle", "owner", "definition"), _texts("system"), (_OWNER, _SYSTEM)
)
_MCP_SERVER = SpecShape(
    {**_texts("type", "lifecycle", "owner"), "remotes": Shape.REMOTES},
    {"definition": Shape.ANY, **_texts("system")},
    (_OWNER, _SYSTEM),
)
_AI_RESOURCE = SpecShape(
    _texts("type", "lifecycle", "owner"), _texts("system"), (_OWNER, _SYSTEM), _AI
)
_AI_RULE = SpecShape(
    _texts("type", "lifecycle", "owner", "category", "rationale"),
    {**_texts("system"), **_lists("disciplines")},
    (_OWNER, _SYSTEM),
    _AI,
)
_AI_SKILL = SpecShape(
    _texts("type", "lifecycle", "owner"),
    {
        **_texts("system", "allowedTools", "license", "compatibility"),
        **_lists("disciplines", "categories", "agents", "dependsOn"),
    },
    (_OWNER, _SYSTEM, Reference("dependsOn", "dependsOn", "AiResource")),
    _AI,
)
_AI_PLUGIN = SpecShape(
    {**_texts("type", "lifecycle", "owner"), **_lists("skills")},
    _texts("system", "version"),
    (_OWNER, _SYSTEM, Reference("skills", "partOf", "AiResource", reverse=True)),
    _AI,
)
_AI_MARKETPLACE = SpecShape(
    {**_texts("type", "lifecycle", "owner"), **_lists("plugins")},
    _texts("system", "version"),
    (_OWNER, _SYSTEM, Reference("plugins", "partOf", "AiResource", reverse=True)),
    _AI,
)
_BY_TYPE: Final[Mapping[tuple[str, str], SpecShape]] = {
    ("API", "mcp-server"): _MCP_SERVER,
    ("AiResource", "rule"): _AI_RULE,
    ("AiResource", "skill"): _AI_SKILL,
    ("AiResource", "plugin"): _AI_PLUGIN,
    ("AiResource", "marketplace"): _AI_MARKETPLACE,
}

BACKSTAGE: Final[Mapping[str, SpecShape]] = MappingProxyType(
    {
        "Component": SpecShape(
            _texts("type", "lifecycle", "owner"),
            {
                **_texts("system", "subcomponentOf"),
                **_lists("providesApis", "consumesApis", "dependsOn"),
                "dependencyOf": Shape.TEXT_OR_TEXTS,
            },
            (
                _OWNER,
                Reference("subcomponentOf", "partOf", "Component"),
                Reference("providesApis", "providesApi", "API"),
                Reference("consumesApis", "consumesApi", "API"),
                _DEPENDS_ON,
                _DEPENDENCY_OF,
                _SYSTEM,
            ),
        ),
        "API": _API,
        "Resource": SpecShape(
            _texts("type", "owner"),
            {
                **_texts("system"),
                **_lists("dependsOn"),
                "dependencyOf": Shape.TEXT_OR_TEXTS,
                "lifecycle": Shape.ANY,
            },
            (_OWNER, _DEPENDS_ON, _DEPENDENCY_OF, _SYSTEM),
        ),
        "System": SpecShape(
            _texts("owner"),
            _texts("domain", "type"),
            (_OWNER, Reference("domain", "partOf", "Domain")),
        ),
        "Domain": SpecShape(
            _texts("owner"),
            _texts("subdomainOf", "type"),
            (_OWNER, Reference("subdomainOf", "partOf", "Domain")),
        ),
        "Group": SpecShape(
            {**_texts("type"), **_lists("children")},
            {"profile": Shape.PROFILE, **_texts("parent"), **_lists("members")},
            (
                Reference("parent", "childOf", "Group"),
                Reference("children", "childOf", "Group", reverse=True),
                Reference("members", "memberOf", "User", reverse=True),
            ),
        ),
        "User": SpecShape(
            _lists("memberOf"),
            {"profile": Shape.PROFILE},
            (Reference("memberOf", "memberOf", "Group"),),
        ),
        "Location": SpecShape(
            {}, {**_texts("type", "target"), **_lists("targets"), "presence": Shape.PRESENCE}
        ),
        "AiResource": _AI_RESOURCE,
        "Template": SpecShape(
            {},
            {"owner": Shape.TEXT, "type": Shape.TEXT, "steps": Shape.ANY, "parameters": Shape.ANY},
            (_OWNER,),
            (
                "scaffolder.backstage.io/v1beta3",
                "scaffolder.backstage.io/v1beta2",
                "backstage.io/v1beta2",
                "backstage.io/v1alpha1",
            ),
        ),
    }
)


def backstage_shape(kind: str, spec: Mapping[str, Any] | None = None) -> SpecShape | None:
    """The shape of a spec of Backstage's, by its `type` where that decides; None: not its kind."""
    type_ = spec.get("type") if spec else None
    if isinstance(type_, str) and (kind, type_) in _BY_TYPE:
        return _BY_TYPE[kind, type_]
    return BACKSTAGE.get(kind)
