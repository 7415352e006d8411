"""Names of entities: `[kind:][namespace/]name`, as Backstage writes and compares them."""

from __future__ import annotations

import msgspec

from pilothouse.kernel.errors import Invalid

DEFAULT_NAMESPACE = "default"


class EntityRef(msgspec.Struct, frozen=True, order=True):
    """Which entity; compared in lower case, so build one with `of` or `parse`."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, kind: str, namespace: str, name: str) -> EntityRef:
        return cls(kind.lower(), namespace.lower(), name.lower())

    @classmethod
    def parse(
        cls, text: str, kind: str | None = None, namespace: str = DEFAULT_NAMESPACE
    ) -> EntityRef:
        """Read a ref in lower case; `kind` and `namespace` stand in for parts left out.

        Raises Invalid as `split` does.
        """
        return cls.of(*split(text, kind, namespace))

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


def split(
    text: str, kind: str | None = None, namespace: str = DEFAULT_NAMESPACE
) -> tuple[str, str, str]:
    """Cut a ref into kind, namespace and name in the case they were written in.

    The first ":" splits off the kind unless a "/" comes before it; the first "/" then splits
    off the namespace (npm @backstage/catalog-model 1.10.1, parseEntityRef).

    Raises Invalid when a part is empty, or when there is no kind and no default for it.
    """
    if not text:
        raise Invalid("Entity reference must not be empty")
    rest = text
    colon, slash = rest.find(":"), rest.find("/")
    if colon != -1 and (slash == -1 or colon < slash):
        kind, rest = rest[:colon], rest[colon + 1 :]
        if not kind:
            raise _malformed(text)
    elif not kind:
        if slash == 0:
            raise _malformed(text)
        raise Invalid(
            f'Entity reference "{text}" had missing or empty kind '
            '(e.g. did not start with "component:" or similar)'
        )
    if (slash := rest.find("/")) != -1:
        namespace, rest = rest[:slash], rest[slash + 1 :]
    if not namespace or not rest:
        raise _malformed(text)
    return kind or "", namespace, rest


def _malformed(text: str) -> Invalid:
    return Invalid(f'Entity reference "{text}" was not on the form [<kind>:][<namespace>/]<name>')
