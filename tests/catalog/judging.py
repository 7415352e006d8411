"""What the catalog's tests share: documents from text, and the real data with its answers."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.catalog.formats.yaml import read_documents
from pilothouse.catalog.rules.validity import judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.catalog.model import Document, Entity, Problem
    from pilothouse.kernel.module import Kind

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "catalog"

COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
spec:
  type: service
  lifecycle: production
  owner: payments
"""


def document(text: str) -> Document:
    reading = read_documents(dedent(text).encode())
    assert reading.ok, reading.problems
    [one] = reading.documents
    return one


def judged(
    text: str, kinds: Mapping[str, Kind] | None = None
) -> tuple[Entity | None, list[Problem]]:
    return judge(document(text), kinds or {})


def said(problems: list[Problem]) -> list[tuple[str, str | None, int]]:
    return [(problem.code, problem.field, problem.line) for problem in problems]


def expected(name: str) -> dict[str, Any]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the recorded answers of Backstage are not at {path}")
    return json.loads(path.read_text())
