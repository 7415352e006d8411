"""Real payloads, and texts from others that mean nothing."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.deploys.formats import (
    cloudevents,
    github,
    gitlab,
    reports,
    signatures,
    versions,
)
from pilothouse.deploys.formats.parts import text_of, time_of
from pilothouse.kernel.errors import Invalid

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)
FIELDS = (
    "action", "deployment", "deployment_status", "release", "workflow_run", "workflow", "commits",
    "head_commit", "repository", "full_name", "id", "sha", "ref", "state", "environment",
    "created_at", "payload", "creator", "timestamp", "author", "added", "object_kind", "project",
    "path_with_namespace", "status", "builds", "object_attributes", "commit",
)  # fmt: skip
bodies = st.recursive(
    json_values,
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=20,
).filter(lambda value: isinstance(value, dict))


@given(st.sampled_from(sorted(github.KINDS)), bodies)
def test_githubs_messages_may_hold_anything(kind, body):
    repository = {"repository": {"full_name": "a/b"}}
    try:
        told = github.told(kind, body | repository, NOW)
    except (TypeError, AttributeError, ValueError):
        return  # kept as one that cannot be read
    assert told.why or told.reports or told.commits or told.sync


@given(st.sampled_from(sorted(gitlab.KINDS)), bodies)
def test_gitlabs_messages_may_hold_anything(kind, body):
    project = {"project": {"path_with_namespace": "a/b"}, "object_kind": kind}
    try:
        gitlab.told(body | project, NOW)
    except (TypeError, AttributeError, ValueError):
        return


@given(st.sampled_from([reports.OURS, "dev.cdevents.service.deployed.0.3.0", "x"]), json_values)
def test_an_event_is_told_or_refused(kind, data):
    event = cloudevents.CloudEvent("1", "/x", kind, data=data)
    with suppress(Invalid):
        assert reports.told(event, NOW)


@given(st.binary(max_size=60), st.sampled_from(["application/cloudevents+json", "", "text/x"]))
def test_bytes_are_events_or_refused(body, kind):
    with suppress(Invalid):
        assert isinstance(cloudevents.read(kind, {}, body), list)


@given(json_values)
def test_times_and_texts_are_bounded(value):
    at = time_of(value)
    assert at is None or at.tzinfo is not None
    assert len(text_of(value, 5)) <= 5
    assert "\0" not in text_of(value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-11-23T12:00:00Z", NOW),
        ("2026-11-23T13:00:00+01:00", NOW),
        ("2026-11-23 13:00:00 +0100", NOW),
        ("2026-11-23 12:00:00 UTC", NOW),
        (int(NOW.timestamp()), NOW),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("0001-01-01T00:00:00+12:00", None),
        ("tomorrow", None),
        ("", None),
        (True, None),
        (1e300, None),
    ],
)
def test_times_are_read_as_senders_write_them(text, wanted):
    assert time_of(text) == wanted


def test_a_signature_is_githubs_own_example():
    # docs.github.com, "Validating webhook deliveries": secret and payload of its test values
    secret, body = "It's a Secret to Everybody", b"Hello, World!"
    said = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signatures.github_signature(secret, body) == said
    assert signatures.is_signed(secret, body, said)
    assert not signatures.is_signed(secret, body, said[:-1] + "8")
    assert not signatures.is_signed(secret, body + b" ", said)


def test_a_ping_is_a_greeting():
    assert github.why_ignored("ping", {"zen": "x"}) == "a greeting: the webhook is set up"
    assert "says nothing about deployments" in github.why_ignored("star", {})
    assert github.why_ignored("deployment", {}) == "deployment names no repository"


SHA = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        ("main", "f95f852"),
        ("v1.4.2", "v1.4.2"),
        ("refs/tags/nightly", "nightly"),
        ("refs/heads/main", "f95f852"),
        ("feature/v2", "f95f852"),
        (SHA, "f95f852"),
        ("f95f852", "f95f852"),
        ("2026.11.23-1", "2026.11.23-1"),
        ("", "f95f852"),
    ],
)
def test_a_version_is_a_tag_or_a_short_commit(ref, version):
    assert versions.version_of(ref, SHA) == version


@pytest.mark.parametrize(
    ("said", "commit"),
    [(SHA, SHA), (SHA.upper(), SHA), ("f95f852", "f95f852"), ("a" * 64, "a" * 64), ("a" * 65, ""),
     ("release/" + "a" * 60, ""), ("main", ""), ("", "")],
)  # fmt: skip
def test_a_branch_is_no_commit(said, commit):
    assert versions.commit_of(said) == commit


LONG = "feature/a-branch-that-says-all-that-is-done-on-it-and-why-it-came-to-be-so-long"
PUSHED = {"id": LONG, "timestamp": "2026-11-23T12:00:00Z"}


def test_only_what_looks_like_a_commit_is_kept_as_one():
    repository = {"repository": {"full_name": "a/b"}}
    project = {"project": {"path_with_namespace": "a/b"}}
    release = {"action": "published", "release": {"tag_name": "v1", "target_commitish": LONG}}
    hook = {"object_kind": "deployment", "status": "success", "ref": "v1", "short_sha": LONG}
    event = cloudevents.CloudEvent(
        "1", "/x", reports.OURS, data={"entity": "a", "environment": "p", "commit": LONG}
    )
    for told in (
        github.told("release", release | repository, NOW),
        github.told("deployment", {"deployment": {"sha": LONG, "ref": "v1"}} | repository, NOW),
        gitlab.told(hook | project, NOW),
        reports.told(event, NOW),
    ):
        [report] = told.reports
        assert (report.commit, bool(report.version)) == ("", True)
    push = {"commits": [PUSHED], "object_kind": "push", "after": SHA}
    assert github.told("push", push | repository, NOW).commits == ()
    assert gitlab.told(push | project, NOW).commits == ()


def test_a_project_known_by_its_address_alone_has_a_bounded_name():
    body = {"project": {"web_url": "https://git.corp.com/" + "a" * 1000}}
    assert len(gitlab.repository_of(body)) == 300


@pytest.mark.parametrize(
    ("purl", "version", "commit"),
    [
        ("pkg:oci/app@sha256%3A0b31b1c02ff458ad9b7b81cb?tag=1.2", "1.2", ""),
        ("pkg:oci/app@sha256%3A0b31b1c02ff458ad9b7b81cb", "0b31b1c02ff4", ""),
        (f"pkg:golang/example.com/app@{SHA}", "f95f852", SHA),
        ("pkg:npm/app@4.17.1", "4.17.1", ""),
        ("app-1.2.whl", "app-1.2.whl", ""),
    ],
)
def test_a_package_url_names_a_version(purl, version, commit):
    assert versions.version_of_purl(purl) == (version, commit)
