"""The health protocol, against gRPC's own server."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from hypothesis import given
from hypothesis import strategies as st
from tests.agent.certifying import certified
from tests.agent.probes.looking import look
from tests.servers import LOOPBACK, free_port

from pilothouse.agent.connecting import Broken
from pilothouse.agent.probes import grpc as probing
from pilothouse.checks.model.documents import Grpc, Tcp

STATUS = health_pb2.HealthCheckResponse.ServingStatus


@dataclass(frozen=True, slots=True)
class Served:
    port: int
    health: health.HealthServicer

    def say(self, service: str, status: str) -> None:
        self.health.set(service, STATUS.Value(status))


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    running = grpc.server(ThreadPoolExecutor(2))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, running)
    port = running.add_insecure_port(f"{LOOPBACK}:0")
    running.start()
    yield Served(port, servicer)
    running.stop(None).wait()


def test_a_service_that_serves_is_fine(server: Served) -> None:
    server.say("pay", "SERVING")
    seen = look(Grpc(host=LOOPBACK, port=server.port, service="pay"))
    assert (seen.fault, seen.reason) == ("", "")
    assert seen.values["status"] == "SERVING"
    assert set(seen.phases) == {"connect", "first_byte", "body"}
    assert (seen.address, seen.protocol) == (LOOPBACK, "HTTP/2")


def test_the_whole_server_is_asked_where_no_service_is_named(server: Served) -> None:
    server.say("", "SERVING")
    assert look(Grpc(host=LOOPBACK, port=server.port)).values["status"] == "SERVING"


def test_a_service_that_does_not_serve_is_down(server: Served) -> None:
    server.say("ship", "NOT_SERVING")
    seen = look(Grpc(host=LOOPBACK, port=server.port, service="ship"))
    assert (seen.fault, seen.values["status"]) == ("down", "NOT_SERVING")
    assert "'ship'" in seen.reason


def test_a_check_may_expect_that_a_service_does_not_serve(server: Served) -> None:
    server.say("ship", "NOT_SERVING")
    spec = Grpc(host=LOOPBACK, port=server.port, service="ship")
    seen = look(spec, expect=('status == "NOT_SERVING"',))
    assert (seen.fault, seen.values["status"]) == ("", "NOT_SERVING")


def test_a_service_that_nobody_knows_is_said_to_be_unknown(server: Served) -> None:
    seen = look(Grpc(host=LOOPBACK, port=server.port, service="nobody"))
    assert seen.fault == "none"
    assert "does not know the service 'nobody'" in seen.reason


def test_a_server_without_the_health_service_is_named_as_such() -> None:
    running = grpc.server(ThreadPoolExecutor(1))
    port = running.add_insecure_port(f"{LOOPBACK}:0")
    running.start()
    seen = look(Grpc(host=LOOPBACK, port=port))
    running.stop(None).wait()
    assert "no health service" in seen.reason


def test_over_tls_the_certificate_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certified(tmp_path, monkeypatch)
    pair = (trusted.key.read_bytes(), trusted.file.read_bytes())
    running = grpc.server(ThreadPoolExecutor(1))
    servicer = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, running)
    port = running.add_secure_port(f"{LOOPBACK}:0", grpc.ssl_server_credentials([pair]))
    running.start()
    seen = look(Grpc(host="localhost", port=port, tls=True))
    running.stop(None).wait()
    assert (seen.fault, seen.values["status"]) == ("", "SERVING")
    assert seen.certificate is not None
    assert "tls" in seen.phases


def test_a_server_that_speaks_something_else_costs_no_more_than_the_time(
    server: Served,
) -> None:
    seen = look(Grpc(host=LOOPBACK, port=server.port, tls=True), seconds=2)
    assert seen.fault == "TLS"
    assert look(Tcp(host=LOOPBACK, port=server.port)).fault == ""


def test_a_closed_port_is_refused() -> None:
    seen = look(Grpc(host=LOOPBACK, port=free_port()))
    assert (seen.fault, "refused" in seen.reason) == ("conn", True)


@given(st.text(max_size=300))
def test_requests_are_those_of_the_real_library(service: str) -> None:
    real = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    assert probing.request(service) == real


@given(st.sampled_from(sorted(probing.STATUSES)))
def test_answers_of_the_real_library_are_read(status: int) -> None:
    real = health_pb2.HealthCheckResponse(status=status).SerializeToString()
    assert probing.serving(b"\0" + len(real).to_bytes(4) + real) == status


@given(st.binary(max_size=40))
def test_garbage_is_read_or_refused_and_nothing_else(body: bytes) -> None:
    with suppress(Broken):
        assert probing.serving(b"\0" + len(body).to_bytes(4) + body) >= 0
