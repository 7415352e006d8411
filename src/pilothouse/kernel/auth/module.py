"""How sign-in joins the program."""

from __future__ import annotations

from pilothouse.kernel.auth import commands, jobs, pages
from pilothouse.kernel.module import Module, Subscription

AUDITED = (
    "auth.person_gone",
    "auth.sessions_ended",
    "auth.sign_in_failed",
    "auth.signed_in",
    "auth.signed_out",
    "auth.token_created",
    "auth.token_revoked",
    "auth.user_added",
    "auth.user_changed",
    "auth.user_removed",
    "jobs.retried",
)

module = Module(
    name="auth",
    routes=pages.routes,
    jobs=jobs.jobs,
    handlers=[Subscription("catalog.source_read", "auth.memberships", jobs.memberships)],
    commands=commands.register,
    audited=AUDITED,
    templates="pilothouse.kernel.auth",
)
