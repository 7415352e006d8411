"""Durable jobs: what must happen by a time, even if the process is killed."""

from pilothouse.kernel.jobs.model import Hopeless, Job, JobKind, LeaseLost, TryLater
from pilothouse.kernel.jobs.store import waiting

__all__ = ["Hopeless", "Job", "JobKind", "LeaseLost", "TryLater", "waiting"]
