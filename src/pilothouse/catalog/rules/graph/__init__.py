"""The drawing of what an entity is related to: chosen, laid out, ready to be written as SVG."""

from pilothouse.catalog.rules.graph.draw import draw
from pilothouse.catalog.rules.graph.model import Drawing, Limits, Name

__all__ = ["Drawing", "Limits", "Name", "draw"]
