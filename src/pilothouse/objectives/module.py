"""How objectives joins the program."""

from __future__ import annotations

from pilothouse.kernel.module import Module

module = Module(name="objectives")
