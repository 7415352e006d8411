"""A file's bytes become entities and problems. Pure but for `read`, which the edge hands in."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilothouse.catalog.formats import locations, placeholders, yaml
from pilothouse.catalog.model import Document, Entity, FileReading, Problem
from pilothouse.catalog.rules import problems, validity
from pilothouse.kernel.module import Kind

Read = Callable[[str], bytes]
