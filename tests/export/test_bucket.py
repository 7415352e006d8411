"""A copy in a bucket that speaks S3: the same files, each with its type."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from tests.catalog.following import component, following, group, several, write
from tests.export.copies import copied, files
from tests.servers import LOOPBACK, free_port

from pilothouse.export.outside.places import open_place
from pilothouse.kernel.errors import Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("obstore")
PAY = "catalog/component/default/pay/index.html"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server that speaks S3, with the bucket `portal`."""
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer(ip_address=LOOPBACK, port=port, verbose=False)
    server.start()
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    address = f"http://{LOOPBACK}:{port}"
    made = urllib.request.Request(f"{address}/portal", method="PUT")
    urllib.request.urlopen(made).close()
    yield address
    reset = urllib.request.Request(f"{address}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()
    server.stop()


def store(endpoint: str) -> Any:
    from obstore.store import S3Store

    return S3Store("portal", endpoint=endpoint, client_options={"allow_http": True})


def keys(endpoint: str) -> set[str]:
    return {found["path"] for part in store(endpoint).list() for found in part}


def test_a_bucket_holds_what_a_folder_would(endpoint: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    write(source, "catalog-info.yaml", several(group("team-a"), component("pay"), component("old")))
    url = f"sqlite:///{tmp_path / 'pilothouse.db'}"
    with following(url, tmp_path / "data", export_endpoint=endpoint) as found:
        found.follow(source)
        copied(found.program, "s3://portal/the/copy")
        copied(found.program, tmp_path / "copy")
        here = {name for name in files(tmp_path / "copy") if not name.endswith(".lock")}
        assert keys(endpoint) == {f"the/copy/{name}" for name in here}

        write(source, "catalog-info.yaml", several(group("team-a"), component("pay", "team-b")))
        found.look(source)
        report = copied(found.program, "s3://portal/the/copy")
    assert report.removed
    assert not [key for key in keys(endpoint) if "/old/" in key]
    place = open_place("s3://portal/the/copy/", endpoint)
    assert b"team-b" in (place.read(PAY) or b"")
    import obstore

    about = obstore.get(place._store, PAY).attributes
    assert about["Content-Type"] == "text/html; charset=utf-8"
    place.close()


def test_a_prefix_with_other_things_is_refused(endpoint: str) -> None:
    store(endpoint).put("site/thesis.txt", b"the only copy")
    with pytest.raises(Invalid, match="other things"):
        open_place("s3://portal/site", endpoint)


def test_a_bucket_that_does_not_exist_says_so(endpoint: str) -> None:
    with pytest.raises(Conflict, match="nowhere/copy could not be used"):
        open_place("s3://nowhere/copy", endpoint)


def test_no_bucket_is_named(endpoint: str) -> None:
    with pytest.raises(Invalid, match="names no bucket"):
        open_place("s3://", endpoint)
