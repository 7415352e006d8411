"""How incidents join the program."""

from __future__ import annotations

from pilothouse.kernel.module import Module

module = Module(name="incidents")
