"""Deployments on the command line: `pilothouse deploy`, for any CI."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from pilothouse.deploys import jobs
from pilothouse.deploys.formats import cloudevents, reports
from pilothouse.deploys.formats.parts import time_of
from pilothouse.deploys.outside import sending
from pilothouse.deploys.service import receiving
from pilothouse.kernel import clock
from pilothouse.kernel.errors import Invalid, NotFound
from pilothouse.kernel.program import Program

Open = Callable[..., Program]
Status = Literal["queued", "in_progress", "succeeded", "failed", "rolled_back", "inactive"]
CI_URLS = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL")  # GitLab, Jenkins, CircleCI
CI_PEOPLE = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID", "CIRCLE_USERNAME")


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a CI says of a deployment, one field for each option.

    Parameters
    ----------
    entity
        What was deployed: component:default/checkout, or just checkout.
    env
        Where: production, staging.
    version
        Which version: 1.4.2. Without one, the commit stands for it.
    status
        How it stands. Say in_progress at its beginning and succeeded or failed at its end.
    commit
        The whole id of the commit.
    url
        Where people can see how it went. Default: the page of the CI's job.
    by
        Who deployed. Default: whom the CI names, or you.
    at
        When, as 2026-11-23T14:00Z. Default: now.
    run
        What the CI calls this deployment, if several of one version go on at once.
    production
        Whether the environment is production, where its name does not say it.
    """

    entity: str
    env: str
    version: str = ""
    status: Status = "succeeded"
    commit: str = ""
    url: str = ""
    by: str = ""
    at: str = ""
    run: Annotated[str, Parameter(name="--id")] = ""
    production: bool | None = None


def register(cli: App, open_program: Open) -> None:
    """Give the program the command."""

    @cli.command
    def deploy(
        *,
        told: Annotated[Deployment, Parameter(name="*")],
        server: Annotated[str | None, Parameter(env_var="PILOTHOUSE_SERVER")] = None,
        token: Annotated[str | None, Parameter(env_var="PILOTHOUSE_TOKEN")] = None,
        data: Path | None = None,
    ) -> None:
        """Tell of a deployment, from any CI.

        With --server it is sent to a running portal; without, it is written into the database of
        the settings of this directory.

        Parameters
        ----------
        server
            Address of the portal: https://pilothouse.example.
        token
            An API token with the scope events.
        data
            Folder of the database, where no server is named.
        """
        event = _event(told)
        reports.told(event, clock.now())  # what is wrong with it is said here already
        if server:
            said = sending.send(server, token, msgspec.Raw(_structured(event)))
            print(f"{said or 'stored'} at {server}")  # noqa: T201
            return
        _write(open_program(data=data and str(data)), event)
        version = told.version or told.commit[:7]
        print(f"{told.entity} {version} {told.status} in {told.env}")  # noqa: T201


def _event(told: Deployment) -> cloudevents.CloudEvent:
    """Raises Invalid for a time that is none."""
    moment = time_of(told.at) or clock.now()
    if told.at and time_of(told.at) is None:
        raise Invalid(f"--at {told.at!r} is not a time; write 2026-11-23T14:00Z")
    values: dict[str, Any] = {
        "entity": told.entity,
        "environment": told.env,
        "version": told.version,
        "status": told.status,
        "commit": told.commit,
        "url": told.url or _first(CI_URLS) or _github_url(),
        "by": told.by or _first(CI_PEOPLE) or _person(),
        "id": told.run,
        "production": told.production,
    }
    return cloudevents.CloudEvent(
        id=clock.uuid7(),
        source="pilothouse/deploy",
        type=reports.OURS,
        time=moment.astimezone(UTC).isoformat(),
        data={name: value for name, value in values.items() if value not in ("", None)},
    )


def _structured(event: cloudevents.CloudEvent) -> bytes:
    values = msgspec.structs.asdict(event) | {"specversion": "1.0"}
    return msgspec.json.encode({name: value for name, value in values.items() if value != ""})


def _write(program: Program, event: cloudevents.CloudEvent) -> None:
    """Store it and take it in at once. Raises NotFound when no entity is called so."""
    with program.db.begin() as tx:
        receiving.store(tx, [receiving.from_event(tx.now, event)])
    jobs.take_now(program)
    with program.db.read() as tx:
        why = receiving.unmatched(tx, event)
    if why:
        raise NotFound(f"{why}. It is kept, and taken in when there is one")


def _person() -> str:
    """Who runs the command; a number where a container has no name for them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _first(names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := os.environ.get(name))), "")


def _github_url() -> str:
    """The page of a run of GitHub Actions."""
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    server, repository, run = (os.environ.get(name, "") for name in names)
    return f"{server}/{repository}/actions/runs/{run}" if run and repository else ""
