"""CloudEvents 1.0 over HTTP (CloudEvents specification 1.0.2, HTTP protocol binding, section 3).

Structured (`application/cloudevents+json`), batched (`application/cloudevents-batch+json`) and
binary (headers `ce-*`); and CDEvents, which travel as such.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from pilothouse.deploys.formats.parts import LONGEST_NAME, text_of
from pilothouse.kernel.cloudevents import CloudEvent
from pilothouse.kernel.errors import Invalid

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
MOST = 1000  # events of one batch
LONGEST_ID = 300
CHANGE = "pilothousechange"  # an extension: it marks events of any type as changes


def read(content_type: str, headers: Mapping[str, str], body: bytes) -> list[CloudEvent]:
    """The events of a request.

    Raises Invalid for what is no CloudEvent, saying which attribute of which event is at fault.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BATCHED:
        found = decoded(body)
        if not isinstance(found, list):
            raise Invalid("a batch of CloudEvents is a JSON list")
        if len(found) > MOST:
            raise Invalid(f"a batch holds at most {MOST} events; this one has {len(found)}")
        return [_event(one, f"event {place} of the batch") for place, one in enumerate(found)]
    if kind == STRUCTURED:
        return [_event(decoded(body), "the event")]
    if "ce-specversion" in headers:
        return [_binary(kind, headers, body)]
    if kind.endswith("json") or not kind:
        found = decoded(body)
        if isinstance(found, dict) and "specversion" in found:
            return [_event(found, "the event")]
        if isinstance(found, dict) and isinstance(found.get("context"), dict):
            return [_bare_cdevent(found)]
    raise Invalid(
        "this is no CloudEvent: send Content-Type application/cloudevents+json, or the headers "
        "ce-specversion, ce-id, ce-source and ce-type"
    )


def decoded(body: bytes) -> Any:
    """JSON. Raises Invalid for what is none, or nested too deeply."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise Invalid("the body is not UTF-8") from error


def _event(value: Any, which: str) -> CloudEvent:
    if not isinstance(value, dict):
        raise Invalid(f"{which} is not a JSON object")
    data = value.get("data")
    if data is None and isinstance(value.get("data_base64"), str):
        try:
            data = _data(
                str(value.get("datacontenttype", "")), base64.b64decode(value["data_base64"])
            )
        except ValueError as error:
            raise Invalid(f"{which}: data_base64 is not base64") from error
    return _checked(value, data, which)


def _binary(kind: str, headers: Mapping[str, str], body: bytes) -> CloudEvent:
    names = ("specversion", "id", "source", "type", "time", "subject", CHANGE)
    said = {name: unquote(headers[f"ce-{name}"]) for name in names if f"ce-{name}" in headers}
    return _checked(said, _data(kind, body), "the event")


def _data(kind: str, body: bytes) -> Any:
    if kind.endswith("json") or (not kind and body[:1] in b"{["):
        return decoded(body) if body else None
    return None


def _bare_cdevent(value: dict[str, Any]) -> CloudEvent:
    context = value["context"]
    said = {"specversion": "1.0", **{n: context.get(n) for n in ("id", "source", "type")}}
    return _checked(said | {"time": context.get("timestamp")}, value, "the CDEvent")


def _checked(said: Mapping[str, Any], data: Any, which: str) -> CloudEvent:
    if (version := said.get("specversion")) != "1.0":
        raise Invalid(f"{which} has specversion {version!r}; 1.0 is understood")
    for name in ("id", "source", "type"):
        if not text_of(said.get(name), LONGEST_ID):
            raise Invalid(f"{which} has no {name}, which every CloudEvent has")
    return CloudEvent(
        id=text_of(said["id"], LONGEST_ID),
        source=text_of(said["source"], LONGEST_ID),
        type=text_of(said["type"], LONGEST_NAME),
        time=text_of(said.get("time")),
        subject=text_of(said.get("subject")),
        data=data,
        change="true" if said.get(CHANGE) is True else text_of(said.get(CHANGE)),
    )
