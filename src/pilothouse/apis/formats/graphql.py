"""GraphQL schemas into a Contract: the fields of the root types are its operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pilothouse.apis.formats import tree
from pilothouse.apis.model import (
    Answer,
    Content,
    Contract,
    Group,
    Named,
    Operation,
    Parameter,
    Place,
    Property,
    Schema,
    Style,
    Unreadable,
)

if TYPE_CHECKING:
    from graphql import GraphQLSchema

MOST_TOKENS = 2_000_000
GRAPHQL = "GraphQL"


def schema_of(text: str) -> GraphQLSchema:
    """The schema that a text in SDL, or the JSON of an introspection, describes.

    Raises Unreadable with the line where it goes wrong.
    """
    import graphql
    import msgspec

    try:
        if text.lstrip()[:1] == "{":
            found: Any = msgspec.json.decode(text)
            return graphql.build_client_schema(found.get("data") or found)
        document = graphql.parse(text, max_tokens=MOST_TOKENS, no_location=False)
        return graphql.build_ast_schema(document, assume_valid_sdl=True)
    except graphql.GraphQLError as error:
        line = error.locations[0].line if error.locations else 0
        raise Unreadable(error.message, line) from error
    except RecursionError as error:
        raise Unreadable("it nests too deep to be read") from error
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise Unreadable(f"not a GraphQL schema: {error}") from error


def read(text: str) -> Contract:
    """Raises Unreadable as `schema_of`."""
    schema = schema_of(text)
    roots = [
        ("QUERY", schema.query_type),
        ("MUTATION", schema.mutation_type),
        ("SUBSCRIPTION", schema.subscription_type),
    ]
    present = [(verb, kind) for verb, kind in roots if kind is not None]
    names = {kind.name for _, kind in present}
    return Contract(
        style=Style.GRAPHQL,
        title=GRAPHQL,
        description=getattr(schema, "description", None) or "",
        groups=tuple(Group(kind.name, kind.description or "") for _, kind in present),
        operations=tuple(
            _operation(verb, kind.name, name, field)
            for verb, kind in present
            for name, field in kind.fields.items()
        ),
        schemas=tuple(
            Named(name, _named(kind))
            for name, kind in schema.type_map.items()
            if not name.startswith("__") and name not in names and not _is_built_in(name)
        ),
        text=text,
    )


def _is_built_in(name: str) -> bool:
    return name in {"String", "Int", "Float", "Boolean", "ID"}


def _operation(verb: str, group: str, name: str, field: Any) -> Operation:
    return Operation(
        verb=verb,
        path=name,
        description=field.description or "",
        groups=(group,),
        deprecated=field.deprecation_reason is not None,
        parameters=tuple(_arguments(field.args)),
        answers=(Answer("data", "", (), (Content(GRAPHQL, _schema(field.type)),)),),
        notes=(f"deprecated: {field.deprecation_reason}",) if field.deprecation_reason else (),
    )


def _arguments(args: Mapping[str, Any]) -> Iterator[Parameter]:
    from graphql import is_required_argument

    for name, argument in args.items():
        yield Parameter(
            name,
            Place.ARGUMENT,
            _schema(argument.type, default=_default(argument)),
            required=is_required_argument(argument),
            description=argument.description or "",
            deprecated=argument.deprecation_reason is not None,
        )


def _default(found: Any) -> str:
    """The default of an argument or an input field, as it is written."""
    from graphql import Undefined, print_ast

    given = getattr(found, "default", None)
    if given is None:
        return ""
    if given.literal is not None:
        return print_ast(given.literal)
    return "" if given.value is Undefined else tree.as_json(given.value)


def _schema(kind: Any, default: str = "") -> Schema:
    """A type where it is used: what is not marked `!` may be null."""
    from graphql import is_list_type, is_non_null_type

    required = is_non_null_type(kind)
    inner = kind.of_type if required else kind
    nothing = () if required else ("null",)
    if is_list_type(inner):
        return Schema(types=("array", *nothing), items=_schema(inner.of_type), default=default)
    if _is_built_in(inner.name):
        return Schema(types=(inner.name, *nothing), default=default)
    return Schema(ref=inner.name, types=nothing, default=default)


def _named(kind: Any) -> Schema:
    import graphql

    described = kind.description or ""
    if graphql.is_enum_type(kind):
        return Schema(
            types=("enum",),
            description=described,
            choices=tuple(tree.as_json(name) for name in kind.values),
        )
    if graphql.is_union_type(kind):
        return Schema(description=described, one_of=tuple(Schema(ref=t.name) for t in kind.types))
    if graphql.is_scalar_type(kind):
        return Schema(types=("scalar",), description=described)
    what = "input" if graphql.is_input_object_type(kind) else "object"
    return Schema(
        types=("interface" if graphql.is_interface_type(kind) else what,),
        description=described,
        properties=tuple(
            Property(name, _field(field), required=graphql.is_non_null_type(field.type))
            for name, field in kind.fields.items()
        ),
    )


def _field(field: Any) -> Schema:
    import msgspec

    found = _schema(field.type, default=_default(field))
    arguments = ", ".join(f"{name}: {arg.type}" for name, arg in getattr(field, "args", {}).items())
    said = [field.description or "", f"Takes ({arguments})" if arguments else ""]
    return msgspec.structs.replace(
        found,
        description="\n\n".join(part for part in said if part),
        deprecated=field.deprecation_reason is not None,
    )
