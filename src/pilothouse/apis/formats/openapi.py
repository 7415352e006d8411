"""OpenAPI 3.0 and 3.1, and Swagger 2.0, into a Contract.

Sources: OpenAPI Specification 3.1.1, 3.0.4 and 2.0, sections "Schema" of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pilothouse.apis.formats import tree
from pilothouse.apis.formats.schemas import SchemaReader
from pilothouse.apis.model import (
    Answer,
    Body,
    Content,
    Contract,
    Example,
    Group,
    Need,
    Operation,
    Parameter,
    Place,
    Schema,
    Scheme,
    Server,
    Style,
    Unreadable,
)

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
MOST_OPERATIONS = 20_000
MOST_HOPS = 20  # from a reference to what it names
JSON = "application/json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def read(root: Mapping[str, Any]) -> Contract:
    """Raises Unreadable for what claims to be OpenAPI and has no paths to speak of."""
    return _Run(root).contract()


class _Run:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.is_swagger = "swagger" in root
        self.schemas = SchemaReader(root)
        self.notices = self.schemas.notices
        self.needs = _needs(root.get("security"))

    def contract(self) -> Contract:
        root, info = self.root, self.root.get("info")
        section = "#/definitions/" if self.is_swagger else "#/components/schemas/"
        operations = tuple(self._operations())
        holder = root if self.is_swagger else tree.mapping(root, "components")
        key = "definitions" if self.is_swagger else "schemas"
        self.schemas.declare(section, [str(name) for name in tree.mapping(holder, key)])
        return Contract(
            style=Style.SWAGGER if self.is_swagger else Style.OPENAPI,
            version=tree.text(root, "swagger") or tree.text(root, "openapi"),
            title=tree.text(info, "title"),
            release=tree.text(info, "version"),
            description=tree.text(info, "description"),
            servers=tuple(self._servers()),
            groups=tuple(
                Group(tree.text(item, "name"), tree.text(item, "description"))
                for item in tree.sequence(root, "tags")
                if tree.text(item, "name")
            ),
            operations=operations,
            schemas=self.schemas.finished(),
            schemes=tuple(self._schemes(holder)),
            notices=tuple(self.notices),
        )

    def _servers(self) -> Iterator[Server]:
        if self.is_swagger:
            host, base = tree.text(self.root, "host"), tree.text(self.root, "basePath")
            schemes = tree.texts(self.root, "schemes") or (("https",) if host else ())
            for scheme in schemes:
                yield Server(f"{scheme}://{host}{base}")
            if not schemes and base:
                yield Server(base)
            return
        for item in tree.sequence(self.root, "servers"):
            if url := tree.text(item, "url"):
                yield Server(url, tree.text(item, "description"))

    def _schemes(self, holder: Mapping[str, Any]) -> Iterator[Scheme]:
        key = "securityDefinitions" if self.is_swagger else "securitySchemes"
        for name, found in tree.items(holder, key):
            item = self._followed(found)
            kind = tree.text(item, "type")
            parts = [kind, tree.text(item, "scheme")]
            if kind == "apiKey":
                parts.append(f"in {tree.text(item, 'in')} {tree.text(item, 'name')}")
            said = " ".join(part for part in parts if part)
            yield Scheme(name, said, tree.text(item, "description"))

    def _operations(self) -> Iterator[Operation]:
        paths = self.root.get("paths")
        if paths is not None and not isinstance(paths, Mapping):
            raise Unreadable("paths must be a mapping of paths to what can be done there")
        total = 0
        for path, found in tree.items(self.root, "paths"):
            item = self._followed(found)
            for method in METHODS:
                if isinstance(item, Mapping) and isinstance(item.get(method), Mapping):
                    total += 1
                    if total > MOST_OPERATIONS:
                        self.notices[f"only the first {MOST_OPERATIONS:,} operations are read"] = (
                            None
                        )
                        return
                    yield self._operation(method, path, item)
        for name, found in tree.items(self.root, "webhooks"):
            item = self._followed(found)
            for method in METHODS:
                if isinstance(item, Mapping) and isinstance(item.get(method), Mapping):
                    yield self._operation(method, name, item, webhook=True)

    def _operation(
        self, method: str, path: str, item: Mapping[str, Any], *, webhook: bool = False
    ) -> Operation:
        found = item[method]
        given = [*tree.sequence(item, "parameters"), *tree.sequence(found, "parameters")]
        raw = {
            (tree.text(one, "in"), tree.text(one, "name")): one
            for one in map(self._followed, given)
        }
        body = self._form(raw.values(), found) if self.is_swagger else self._body(found)
        notes = ("the API calls this, you serve it",) if webhook else ()
        callbacks = ", ".join(name for name, _ in tree.items(found, "callbacks"))
        if callbacks:
            notes += (f"calls back: {callbacks}",)
        return Operation(
            verb=("WEBHOOK " if webhook else "") + method.upper(),
            path=path,
            id=tree.text(found, "operationId"),
            title=tree.text(found, "summary") or tree.text(item, "summary"),
            description=tree.text(found, "description") or tree.text(item, "description"),
            groups=tree.texts(found, "tags"),
            deprecated=tree.flag(found, "deprecated"),
            parameters=tuple(self._parameters(raw.values())),
            body=body,
            answers=tuple(self._answers(found)),
            needs=_needs(found["security"]) if "security" in found else self.needs,
            servers=tuple(
                tree.text(one, "url")
                for one in [*tree.sequence(found, "servers"), *tree.sequence(item, "servers")]
            ),
            notes=notes,
        )

    def _parameters(self, found: Sequence[Any] | Any) -> Iterator[Parameter]:
        for one in found:
            place = tree.text(one, "in")
            if place in set(Place) and tree.text(one, "name"):
                yield self._parameter(one, Place(place), tree.text(one, "name"))

    def _parameter(self, one: Any, place: Place, name: str) -> Parameter:
        contents = self._contents(one)
        style = tree.text(one, "style") or tree.text(one, "collectionFormat")
        if "explode" in one and style:
            style += " exploded" if tree.flag(one, "explode") else " joined"
        return Parameter(
            name=name,
            place=place,
            schema=contents[0].schema if contents else self._schema_of(one),
            required=tree.flag(one, "required") or place is Place.PATH,
            description=tree.text(one, "description"),
            deprecated=tree.flag(one, "deprecated"),
            style=style,
            example=tree.as_json(one["example"]) if "example" in one else _first(one),
        )

    def _schema_of(self, one: Any) -> Schema:
        """The schema of a parameter or a header; Swagger 2 writes it beside the name."""
        if isinstance(one, Mapping) and self.is_swagger and "schema" not in one:
            plain = {key: one[key] for key in one if key not in {"description", "required", "in"}}
            return self.schemas.schema(plain)
        return self.schemas.schema(one.get("schema") if isinstance(one, Mapping) else None)

    def _body(self, found: Mapping[str, Any]) -> Body | None:
        if "requestBody" not in found:
            return None
        body = self._followed(found["requestBody"])
        return Body(
            self._contents(body), tree.flag(body, "required"), tree.text(body, "description")
        )

    def _form(self, parameters: Any, found: Mapping[str, Any]) -> Body | None:
        """The body of Swagger 2, which it writes among the parameters."""
        given = list(parameters)
        media = tree.texts(found, "consumes") or tree.texts(self.root, "consumes") or (JSON,)
        if one := next((item for item in given if tree.text(item, "in") == "body"), None):
            schema = self.schemas.schema(one.get("schema"))
            contents = tuple(Content(name, schema) for name in media)
            return Body(contents, tree.flag(one, "required"), tree.text(one, "description"))
        fields = [item for item in given if tree.text(item, "in") == "formData"]
        if not fields:
            return None
        required = [tree.text(item, "name") for item in fields if tree.flag(item, "required")]
        schema = self.schemas.schema(
            {
                "type": "object",
                "required": required,
                "properties": {
                    tree.text(item, "name"): {k: v for k, v in item.items() if k != "required"}
                    for item in fields
                },
            }
        )
        chosen = [name for name in media if name in FORMS] or [FORMS[0]]
        return Body(tuple(Content(name, schema) for name in chosen), bool(required))

    def _answers(self, found: Mapping[str, Any]) -> Iterator[Answer]:
        for status, item in tree.mapping(found, "responses").items():
            if str(status).startswith("x-"):
                continue
            answer = self._followed(item)
            if self.is_swagger:
                contents = self._swagger_contents(answer, found)
            else:
                contents = self._contents(answer)
            headers = tuple(
                self._parameter(one, Place.HEADER, name)
                for name, one in ((n, self._followed(o)) for n, o in tree.items(answer, "headers"))
                if isinstance(one, Mapping)
            )
            yield Answer(str(status), tree.text(answer, "description"), headers, contents)

    def _swagger_contents(self, answer: Any, found: Mapping[str, Any]) -> tuple[Content, ...]:
        if not isinstance(answer, Mapping) or "schema" not in answer:
            return ()
        media = tree.texts(found, "produces") or tree.texts(self.root, "produces") or (JSON,)
        schema = self.schemas.schema(answer["schema"])
        examples = tree.mapping(answer, "examples")
        return tuple(
            Content(
                name,
                schema,
                examples=(Example("", _shown(examples[name])),) if name in examples else (),
            )
            for name in media
        )

    def _contents(self, holder: Any) -> tuple[Content, ...]:
        return tuple(
            Content(
                media=media,
                schema=self.schemas.schema(tree.mapping(item, "schema") or None),
                examples=tuple(self._examples(item)),
            )
            for media, item in tree.mapping(holder, "content").items()
            if isinstance(media, str)
        )

    def _examples(self, item: Any) -> Iterator[Example]:
        if isinstance(item, Mapping) and "example" in item:
            yield Example("", _shown(item["example"]))
        for name, found in list(tree.items(item, "examples"))[:10]:
            one = self._followed(found)
            if isinstance(one, Mapping) and "value" in one:
                yield Example(name, _shown(one["value"]), tree.text(one, "summary"))

    def _followed(self, found: Any) -> Any:
        """What a reference names; {} where it leads nowhere, elsewhere, or round in a circle."""
        for _ in range(MOST_HOPS):
            ref = found.get("$ref") if isinstance(found, Mapping) else None
            if not isinstance(ref, str):
                return found
            if not ref.startswith("#"):
                self.notices[f"{ref[:200]} lies elsewhere and is not read"] = None
                return {}
            try:
                found = tree.pointer(self.root, ref)
            except KeyError:
                self.notices[f"{ref[:200]} is referred to, but is not there"] = None
                return {}
        self.notices[f"{str(found.get('$ref'))[:200]} refers to itself"] = None
        return {}


def _needs(found: Any) -> tuple[Need, ...]:
    """Ways to be let in; an empty one among them says that none is needed."""
    if not isinstance(found, list):
        return ()
    return tuple(
        Need(
            tuple(
                (str(name), tuple(str(scope) for scope in scopes or ()))
                for name, scopes in item.items()
                if scopes is None or isinstance(scopes, list)
            )
        )
        for item in found
        if isinstance(item, Mapping)
    )


def _shown(value: Any) -> str:
    return (
        value[: tree.LONGEST_VALUE] if isinstance(value, str) else tree.as_json(value, pretty=True)
    )


def _first(one: Mapping[str, Any]) -> str:
    for _, item in tree.items(one, "examples"):
        if isinstance(item, Mapping) and "value" in item:
            return tree.as_json(item["value"])
    return ""
