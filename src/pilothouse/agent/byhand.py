"""One visit from the command line: the check in a file, the visit, and what is printed of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from pilothouse.agent.secrets import Secrets
from pilothouse.agent.visiting import Visitor
from pilothouse.checks.model.documents import CheckSpec
from pilothouse.checks.model.plans import Planned
from pilothouse.checks.model.results import Outcome, Result
from pilothouse.checks.rules import assertions
from pilothouse.kernel import durations
from pilothouse.kernel.errors import Invalid, NotFound

MOST_FILES = 2000
MOST_BYTES = 5_000_000
MOST_SCRIPT = 200_000
SKIPPED = (".git", "node_modules", ".venv", "__pycache__")
MARKS = {True: "holds ", False: "FAILS "}
NAMES = {"first_byte": "first byte", "tls": "TLS", "dns": "DNS"}


class Found(msgspec.Struct, frozen=True):
    """A check in a file."""

    name: str
    spec: CheckSpec
    file: Path


def find(what: str, name: str = "") -> Found:
    """The check that a person means. Raises NotFound or Invalid."""
    if Path(what).is_file():
        found = list(_checks(Path(what)))
        if name:
            found = [one for one in found if one[0] == name]
        if len(found) > 1:
            named = ", ".join(one[0] for one in found)
            raise Invalid(f"{what} has several checks: name one of {named}")
        if not found:
            raise NotFound(f"{what} has no {f'check {name}' if name else 'document of kind Check'}")
        return _read(*found[0], Path(what))
    wanted = what.rpartition("/")[2].removeprefix("check:").lower()
    for file in _files(Path()):
        for called, document in _checks(file, strict=False):
            if called.lower() == wanted:
                return _read(called, document, file)
    raise NotFound(
        f"there is no file {what}, and no check of that name in the catalog files below here"
    )


def _files(root: Path) -> Iterator[Path]:
    number = 0
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if one not in SKIPPED)
        for file in sorted(files):
            if file.endswith((".yaml", ".yml")):
                number += 1
                yield Path(folder) / file
        if number > MOST_FILES:
            return


def _checks(file: Path, *, strict: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and documents of the checks in a file. Raises Invalid for what is no YAML."""
    import yaml

    try:
        if file.stat().st_size > MOST_BYTES:
            raise Invalid(f"{file} is larger than {MOST_BYTES:,} bytes")
        text = file.read_text()
        if "Check" not in text:
            return
        documents = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        if strict:
            raise Invalid(f"{file} cannot be read: {error}") from None
        return
    for document in documents:
        if isinstance(document, dict) and document.get("kind") == "Check":
            metadata = document.get("metadata")
            name = metadata.get("name") if isinstance(metadata, dict) else None
            yield str(name or "unnamed"), document


def _read(name: str, document: dict[str, Any], file: Path) -> Found:
    try:
        spec = msgspec.convert(document.get("spec"), CheckSpec)
    except msgspec.ValidationError as error:
        said = str(error).replace("$.", "spec.")
        raise Invalid(
            f"{file}: check {name}: {said}; pilothouse lint {file} names the line"
        ) from None
    wrong = assertions.problems(spec)
    if wrong:
        first = wrong[0]
        raise Invalid(
            f"{file}: check {name}: {first.field}, column {first.column}: {first.message}"
        )
    if spec.type == "heartbeat":
        raise Invalid(f"{file}: check {name} is a heartbeat: it is called, not visited")
    if not spec.type:
        raise Invalid(f"{file}: check {name} is nothing that can be visited")
    return Found(name, _with_script(spec, file), file)


def _with_script(spec: CheckSpec, file: Path) -> CheckSpec:
    """A journey with its code, as the portal would fill it in."""
    journey = spec.journey
    if journey is None or not journey.script or journey.code:
        return spec
    try:
        code = (file.parent / journey.script).read_text()[:MOST_SCRIPT]
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: the script {journey.script} cannot be read: {error}") from None
    return msgspec.structs.replace(spec, journey=msgspec.structs.replace(journey, code=code))


async def visit(found: Found, secrets: Path | None) -> Result:
    """Visit it once. Who runs it here may reach what this machine reaches."""
    durations.parse(found.spec.timeout)
    visitor = Visitor("here", Secrets(secrets), lambda *_: True, scripts=True)
    planned = Planned(check=found.name, version="", spec=found.spec, offset=0.0)
    result, _ = await visitor.visit(planned)
    return result


def as_json(result: Result) -> str:
    """The result as an agent would send it."""
    return msgspec.json.format(msgspec.json.encode(result), indent=2).decode() + "\n"


def told(found: Found, result: Result) -> str:
    """The result for people: outcome, phases, assertions."""
    lines = [f"{found.name} ({found.spec.type}): {result.outcome}"]
    lines += [f"  {result.reason}"] if result.reason else []
    facts = [result.protocol, str(result.status or ""), result.address]
    facts += [f"{result.size} bytes"] if result.size else []
    if any(facts):
        lines += ["", "  " + "  ".join(fact for fact in facts if fact)]
    if result.certificate is not None:
        one = result.certificate
        lines.append(f"  {one.version}, {one.subject} by {one.issuer}, until {one.expires_at}")
    lines.append("")
    times = [*result.phases.items(), ("total", result.total)]
    lines += [f"  {NAMES.get(name, name):<12}{ms:>10.1f} ms" for name, ms in times]
    if result.steps:
        lines.append("")
        lines += [_step(step) for step in result.steps]
    if result.assertions:
        lines.append("")
        for item in result.assertions:
            lines.append(f"  {MARKS[item.held]}{item.expression}")
            lines += [f"        {item.why}"] if item.why else []
    if result.outcome is Outcome.FAILED and result.sample:
        lines += ["", "  The answer began:", *_indented(result.sample)]
    return "\n".join(lines) + "\n"


def _step(step: Any) -> str:
    why = f"  {step.why}" if step.why else ""
    return f"  {MARKS[step.ok]}{step.name:<30}{step.ms:>10.1f} ms{why}"


def _indented(text: str) -> list[str]:
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{MIDDLE DOT}" for c in text)
    return [f"    {line[:200]}" for line in shown.splitlines()[:20]]
