"""Every real payload of npm @octokit/webhooks-examples is taken in, or ignored with a word why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.deploys.telling import component, group, telling
from tests.system import npm

HERE = Path(__file__).parent / "octokit"
TOLD = {"deployment", "deployment_status", "push", "release", "workflow_run"}


@pytest.fixture(scope="module")
def examples() -> list[tuple[str, Any]]:
    """The payloads of all versions of GitHub that the package has: event and body."""
    folder = npm.installed(HERE) / "node_modules" / "@octokit" / "webhooks-examples"
    found: list[tuple[str, Any]] = []
    for path in sorted(folder.glob("*/index.json")):
        events = json.loads(path.read_text())
        found += [(event["name"], body) for event in events for body in event["examples"]]
    return found


def test_every_real_payload_is_accepted_or_politely_ignored(examples, database_url, tmp_path):
    hello = component("hello-world", "Codertocat/Hello-World")
    with telling(database_url, tmp_path, hello, group("team-a")) as told:
        odd = []
        for name, body in examples:
            answer = told.github(name, body)
            said = json.loads(answer.text)
            if answer.status not in {200, 202} or (answer.status == 200 and not said.get("why")):
                odd.append((name, answer.status, said))
        assert not odd
        told.take()
        states = [state for state, _ in told.states()]
        assert len(states) == len(examples) > 300
        assert "waiting" not in states
        assert "unreadable" not in states
        history = told.history("component:default/hello-world")
        assert {(one.environment, one.version) for one in history} >= {
            ("production", "f95f852"),
            ("release", "0.0.1"),
        }
        page = told.page("/catalog/component/default/hello-world")
        assert "What runs where" in page
        running = told.running("component:default/hello-world").values()
        assert all(place.version in page for place in running if place.live)


def test_the_payloads_that_tell_of_deployments_are_not_ignored(examples, sqlite_url, tmp_path):
    hello = component("hello-world", "Codertocat/Hello-World")
    with telling(sqlite_url, tmp_path, hello, group("team-a")) as told:
        of_ours = [(name, body) for name, body in examples if name in TOLD]
        assert {name for name, _ in of_ours} == TOLD
        answers = {name: told.github(name, body).status for name, body in of_ours}
        assert answers["deployment_status"] == 202
        assert answers["deployment"] == 202
