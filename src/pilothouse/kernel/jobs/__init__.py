"""Durable jobs: what must happen by a time, even if the process is killed."""

from pilothouse.kernel.jobs.model import Job, JobKind, LeaseLost
from pilothouse.kernel.jobs.store import waiting

__all__ = ["Job", "JobKind", "LeaseLost", "waiting"]
