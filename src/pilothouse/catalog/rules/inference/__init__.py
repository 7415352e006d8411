"""A first catalog for a repository without one, inferred from what is in it."""

from pilothouse.catalog.model import Proposal, Proposed, Survey
from pilothouse.catalog.rules.inference.proposing import propose
from pilothouse.catalog.rules.inference.telling import report

__all__ = ["Proposal", "Proposed", "Survey", "propose", "report"]
