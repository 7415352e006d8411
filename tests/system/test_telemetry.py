"""Traces of requests reach an OpenTelemetry collector, when one is set."""

import http.client
import zlib
from concurrent.futures import Future
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.servers import LOOPBACK, free_port

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@contextmanager
def collecting(wanted):
    """A collector's address, and the first span that is wanted with all that came with it."""
    found = Future()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding"):
                body = zlib.decompress(body, wbits=47)
            request = ExportTraceServiceRequest.FromString(body)
            spans = [
                span
                for resource in request.resource_spans
                for scope in resource.scope_spans
                for span in scope.spans
            ]
            if not found.done() and any(wanted(span) for span in spans):
                found.set_result((self.path, self.headers["Content-Type"], spans))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()

        def log_message(self, format, *args):  # noqa: A002  the parent's word
            pass

    with ThreadingHTTPServer((LOOPBACK, free_port()), Collector) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}", found
        server.shutdown()
        thread.join()


def attributes(span):
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


def test_a_request_and_its_queries_are_in_the_callers_trace(program, database_url, tmp_path):
    port = free_port()
    with collecting(lambda span: span.trace_id.hex() == TRACE) as (endpoint, found):
        env = {"PILOTHOUSE_DATABASE_URL": database_url, "PILOTHOUSE_OTLP_ENDPOINT": endpoint}
        running = program("serve", "--port", str(port), env=env, cwd=tmp_path)
        running.wait_for_http(port, "/healthz")
        client = http.client.HTTPConnection(LOOPBACK, port, timeout=10)
        client.request("GET", "/jobs", headers={"traceparent": PARENT, "accept": "text/html"})
        assert client.getresponse().status == 200
        client.close()
        running.terminate()  # spans in hand are sent at the end
        path, kind, spans = found.result(timeout=10)
    assert (path, kind) == ("/v1/traces", "application/x-protobuf")
    ours = [span for span in spans if span.trace_id.hex() == TRACE]
    [request] = [span for span in ours if span.kind == span.SPAN_KIND_SERVER]
    assert request.name == "GET /jobs"
    assert attributes(request) == {
        "http.request.method": "GET",
        "url.path": "/jobs",
        "http.response.status_code": 200,
        "http.route": "/jobs",
    }
    queries = [span for span in ours if span.kind == span.SPAN_KIND_CLIENT]
    assert any("FROM jobs" in attributes(span)["db.query.text"] for span in queries)
    assert {span.parent_span_id for span in queries} == {request.span_id}


def test_a_collector_that_is_away_keeps_nobody_waiting(program, sqlite_url):
    port = free_port()
    endpoint = f"http://{LOOPBACK}:{free_port()}"
    env = {"PILOTHOUSE_DATABASE_URL": sqlite_url, "PILOTHOUSE_OTLP_ENDPOINT": endpoint}
    running = program("serve", "--port", str(port), env=env)
    running.wait_for_http(port)
    assert running.terminate() == 0
