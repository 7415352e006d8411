"""AsyncAPI 2 and 3 into a Contract: an operation is what the API does on a channel.

A message that the API takes reads as the body of a request, one that it sends as an answer.
Sources: AsyncAPI Specification 2.6.0 and 3.0.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pilothouse.apis.formats import tree
from pilothouse.apis.formats.schemas import SchemaReader
from pilothouse.apis.model import (
    Answer,
    Body,
    Content,
    Contract,
    Example,
    Operation,
    Parameter,
    Place,
    Schema,
    Scheme,
    Server,
    Style,
    Unreadable,
)

SECTION = "#/components/schemas/"
MOST_HOPS = 20


def read(root: Mapping[str, Any]) -> Contract:
    """Raises Unreadable where there are no channels to speak of."""
    return _Run(root).contract()


class _Run:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root = root
        self.schemas = SchemaReader(root)
        self.notices = self.schemas.notices

    def contract(self) -> Contract:
        root, info = self.root, self.root.get("info")
        channels = root.get("channels")
        if channels is not None and not isinstance(channels, Mapping):
            raise Unreadable("channels must be a mapping of names to channels")
        version = tree.text(root, "asyncapi")
        second = version.startswith("2")
        operations = tuple(self._second() if second else self._third())
        components = tree.mapping(root, "components")
        self.schemas.declare(SECTION, [str(name) for name in tree.mapping(components, "schemas")])
        return Contract(
            style=Style.ASYNCAPI,
            version=version,
            title=tree.text(info, "title"),
            release=tree.text(info, "version"),
            description=tree.text(info, "description"),
            servers=tuple(self._servers()),
            operations=operations,
            schemas=self.schemas.finished(),
            schemes=tuple(self._schemes(components)),
            notices=tuple(self.notices),
        )

    def _servers(self) -> Iterator[Server]:
        for name, found in tree.items(self.root, "servers"):
            item = self._followed(found)
            url = tree.text(item, "url")
            if not url:
                url = f"{tree.text(item, 'host')}{tree.text(item, 'pathname')}"
                protocol = tree.text(item, "protocol")
                url = f"{protocol}://{url}" if protocol else url
            yield Server(url, tree.text(item, "description") or name)

    def _schemes(self, components: Mapping[str, Any]) -> Iterator[Scheme]:
        for name, found in tree.items(components, "securitySchemes"):
            item = self._followed(found)
            yield Scheme(name, tree.text(item, "type"), tree.text(item, "description"))

    def _second(self) -> Iterator[Operation]:
        """AsyncAPI 2: `publish` is what others publish, so the API takes it."""
        for address, found in tree.items(self.root, "channels"):
            channel = self._followed(found)
            for key, taken in (("publish", True), ("subscribe", False)):
                item = channel.get(key) if isinstance(channel, Mapping) else None
                if not isinstance(item, Mapping):
                    continue
                messages = self._second_messages(item.get("message"))
                yield self._operation(key.upper(), address, item, channel, messages, taken=taken)

    def _second_messages(self, found: Any) -> list[tuple[str, Any]]:
        if isinstance(several := tree.sequence(found, "oneOf"), list):
            return [(_last(item), item) for item in several]
        return [(_last(found), found)] if isinstance(found, Mapping) else []

    def _third(self) -> Iterator[Operation]:
        for name, found in tree.items(self.root, "operations"):
            item = self._followed(found)
            if not isinstance(item, Mapping):
                continue
            link = tree.text(item.get("channel"), "$ref")
            channel = self._followed(item.get("channel"))
            action = tree.text(item, "action")
            address = tree.text(channel, "address") or (tree.unescaped(_last_part(link)) or name)
            given = [(_last(one), one) for one in tree.sequence(item, "messages")]
            messages = given or list(tree.items(channel, "messages"))
            yield self._operation(
                action.upper() or "SEND",
                address,
                {"operationId": name, **item},
                channel,
                messages,
                taken=action == "receive",
            )

    def _operation(
        self,
        verb: str,
        address: str,
        item: Mapping[str, Any],
        channel: Any,
        messages: list[tuple[str, Any]],
        *,
        taken: bool,
    ) -> Operation:
        contents = tuple(self._message(name, found) for name, found in messages)
        reply = self._reply(item) if taken else ()
        answers = reply if taken else ((Answer("message", "", (), contents),) if contents else ())
        tags = [self._followed(tag) for tag in tree.sequence(item, "tags")]
        return Operation(
            verb=verb,
            path=address,
            id=tree.text(item, "operationId"),
            title=tree.text(item, "summary") or tree.text(item, "title"),
            description=tree.text(item, "description") or tree.text(channel, "description"),
            groups=tuple(tree.text(tag, "name") for tag in tags if tree.text(tag, "name")),
            deprecated=tree.flag(item, "deprecated"),
            parameters=tuple(self._parameters(channel)),
            body=Body(contents, required=True) if taken and contents else None,
            answers=answers,
            notes=(f"{'takes' if taken else 'sends'} messages",),
        )

    def _reply(self, item: Mapping[str, Any]) -> tuple[Answer, ...]:
        reply = self._followed(item.get("reply"))
        found = [(_last(one), one) for one in tree.sequence(reply, "messages")]
        contents = tuple(self._message(name, one) for name, one in found)
        return (Answer("reply", "", (), contents),) if contents else ()

    def _parameters(self, channel: Any) -> Iterator[Parameter]:
        for name, found in tree.items(channel, "parameters"):
            item = self._followed(found)
            given = tree.mapping(item, "schema")
            plain = {"type": "string"} | {
                key: item[key]
                for key in ("enum", "default")
                if isinstance(item, Mapping) and key in item
            }
            yield Parameter(
                name,
                Place.PATH,
                self.schemas.schema(given or plain),
                required=True,
                description=tree.text(item, "description"),
            )

    def _message(self, name: str, found: Any) -> Content:
        item = self._followed(found)
        payload = item.get("payload") if isinstance(item, Mapping) else None
        foreign = tree.text(payload, "schemaFormat") or tree.text(item, "schemaFormat")
        if isinstance(payload, Mapping) and "schemaFormat" in payload:
            payload = payload.get("schema")
        is_ours = not foreign or "json" in foreign or "asyncapi" in foreign or "openapi" in foreign
        schema = self.schemas.schema(payload) if is_ours else Schema(description=f"in {foreign}")
        headers = tree.mapping(item, "headers")
        return Content(
            media=tree.text(item, "name") or name,
            schema=schema,
            title=tree.text(item, "title") or tree.text(item, "summary"),
            description=tree.text(item, "description"),
            headers=self.schemas.schema(headers) if headers else None,
            examples=tuple(
                Example(tree.text(one, "name"), tree.as_json(one["payload"], pretty=True))
                for one in tree.sequence(item, "examples")[:10]
                if isinstance(one, Mapping) and "payload" in one
            ),
        )

    def _followed(self, found: Any) -> Any:
        """What a reference names; {} where it leads nowhere, elsewhere, or round in a circle."""
        for _ in range(MOST_HOPS):
            ref = found.get("$ref") if isinstance(found, Mapping) else None
            if not isinstance(ref, str):
                return found
            try:
                found = tree.pointer(self.root, ref) if ref.startswith("#") else {}
            except KeyError:
                found = {}
            if not found:
                why = "is referred to, but is not there"
                if not ref.startswith("#"):
                    why = "lies elsewhere and is not read"
                self.notices[f"{ref[:200]} {why}"] = None
        return {}


def _last(found: Any) -> str:
    """What a message is called where it is referred to."""
    return (
        tree.unescaped(_last_part(tree.text(found, "$ref")))
        or tree.text(found, "name")
        or "message"
    )


def _last_part(ref: str) -> str:
    return ref.rpartition("/")[2]
