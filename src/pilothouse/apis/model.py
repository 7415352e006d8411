"""The nouns of apis: what a definition says, whatever its format, and how two of them differ."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from pilothouse.kernel.errors import Invalid


class Style(StrEnum):
    """The format of a definition."""

    OPENAPI = "openapi"
    SWAGGER = "swagger"
    ASYNCAPI = "asyncapi"
    GRAPHQL = "graphql"
    GRPC = "grpc"
    OTHER = "other"  # shown as text


class Property(msgspec.Struct, frozen=True, omit_defaults=True):
    """A named part of an object."""

    name: str
    schema: Schema
    required: bool = False


class Bound(msgspec.Struct, frozen=True, omit_defaults=True):
    """A limit on a value, by the keyword of JSON Schema: maxLength 40."""

    name: str
    value: float


class Schema(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a value may be. Cycles are cut: `ref` names another schema of the same contract."""

    ref: str = ""
    remote: str = ""  # an address that is not read
    types: tuple[str, ...] = ()  # none: any; "null" among them where it may be null
    format: str = ""
    title: str = ""
    description: str = ""
    properties: tuple[Property, ...] = ()
    items: Schema | None = None
    extra: Schema | None = None  # what other properties may be
    closed: bool = False  # no other properties
    choices: tuple[str, ...] = ()  # the values it may have, as JSON
    all_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    but_not: Schema | None = None
    bounds: tuple[Bound, ...] = ()
    pattern: str = ""
    default: str = ""  # as JSON
    example: str = ""  # as JSON
    deprecated: bool = False
    read_only: bool = False
    write_only: bool = False


class Place(StrEnum):
    """Where a parameter stands in a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"
    ARGUMENT = "argument"  # of a GraphQL field


class Parameter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter of an operation, or a header of an answer."""

    name: str
    place: Place
    schema: Schema = Schema()
    required: bool = False
    description: str = ""
    deprecated: bool = False
    style: str = ""
    example: str = ""


class Example(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that somebody wrote as an example."""

    name: str
    text: str
    summary: str = ""


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """A body in one media type, or one message."""

    media: str  # "application/json", or the name of a message
    schema: Schema = Schema()
    title: str = ""
    description: str = ""
    headers: Schema | None = None  # of a message
    examples: tuple[Example, ...] = ()


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request carries."""

    contents: tuple[Content, ...]
    required: bool = False
    description: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A response: its status, or "message" for what is published."""

    status: str
    description: str = ""
    headers: tuple[Parameter, ...] = ()
    contents: tuple[Content, ...] = ()


class Need(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to be let in: all of these schemes, each with its scopes."""

    schemes: tuple[tuple[str, tuple[str, ...]], ...]


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that can be asked of an API, or one channel of messages."""

    verb: str  # "GET", "QUERY", "SEND", "RPC"
    path: str
    id: str = ""
    title: str = ""
    description: str = ""
    groups: tuple[str, ...] = ()
    deprecated: bool = False
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    answers: tuple[Answer, ...] = ()
    needs: tuple[Need, ...] = ()  # any of them; none: nothing is needed
    servers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # what a reader should know besides: "streams its answer"

    @property
    def key(self) -> str:
        """What makes it the same operation in another version: "POST /pets/{id}"."""
        return f"{self.verb} {self.path}"


class Group(msgspec.Struct, frozen=True, omit_defaults=True):
    """Operations that belong together: a tag, a root type, a service."""

    name: str
    description: str = ""


class Server(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an API answers."""

    url: str
    description: str = ""


class Scheme(msgspec.Struct, frozen=True, omit_defaults=True):
    """A way to prove who asks."""

    name: str
    kind: str  # "http bearer", "apiKey in header X-Key"
    description: str = ""


class Named(msgspec.Struct, frozen=True, omit_defaults=True):
    """A schema that has a name."""

    name: str
    schema: Schema


class Contract(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a definition says, in the same words for every format."""

    style: Style
    version: str = ""  # of the format: "3.1.0"
    title: str = ""
    release: str = ""  # of the API: info.version
    description: str = ""
    servers: tuple[Server, ...] = ()
    groups: tuple[Group, ...] = ()
    operations: tuple[Operation, ...] = ()
    schemas: tuple[Named, ...] = ()
    schemes: tuple[Scheme, ...] = ()
    notices: tuple[str, ...] = ()  # what could not be read or followed, each with its place
    text: str = ""  # of a format that is compared as text or by a library: GraphQL


class Unreadable(Invalid):
    """A definition that says nothing that can be shown but its text."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.line = line


class Severity(StrEnum):
    """What a change means for those who use the API."""

    BREAKING = "breaking"  # a client that was right may fail
    WARNING = "warning"  # some clients may be surprised
    SAFE = "safe"


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One difference between two versions."""

    rule: str  # kebab-case and stable: "response-property-removed"
    severity: Severity
    text: str  # a sentence
    place: str  # "POST /pets: answer 200: items[].name", or a schema's "Pet.name"
    operations: tuple[str, ...] = ()  # the first that it touches
    touched: int = 0  # how many it touches
    was: str = ""
    now: str = ""
    note: str = ""  # what softens it


class Comparison(msgspec.Struct, frozen=True, omit_defaults=True):
    """All differences between two versions, the heaviest first."""

    findings: tuple[Finding, ...] = ()

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def worst(self) -> Severity | None:
        """The heaviest severity; None where nothing differs."""
        found = {finding.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in found), None)


class Role(StrEnum):
    """What an entity has to do with an API."""

    API = "api"
    PROVIDER = "provider"
    CONSUMER = "consumer"
    OWNER = "owner"  # of the API or of one of the others


class Party(msgspec.Struct, frozen=True):
    """An entity that a change concerns, and who owns it."""

    ref: str
    role: Role
    owner: str = ""


class Change(msgspec.Struct, frozen=True):
    """What changed in an API from one version to the next."""

    id: int
    uid: str  # of the API's entity, under all of its names
    ref: str
    at: datetime
    worst: str  # a Severity, or "" where nothing that is compared differs
    breaking: int
    warnings: int
    safe: int
    author: str = ""
    subject: str = ""
    commit: str = ""


class WholeChange(msgspec.Struct, frozen=True):
    """A change with all that was found."""

    change: Change
    findings: tuple[Finding, ...]
    parties: tuple[Party, ...]
