"""OpenTelemetry traces, when an endpoint is set; nothing of it is imported otherwise.

Names of attributes are those of OpenTelemetry's semantic conventions for HTTP and databases.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import event

from pilothouse import __version__
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.edge import App, Receive, Scope, Send, shown_path

TIMEOUT = 2  # seconds for an endpoint to take spans; at our end it is waited for
SERVER_ERROR = 500  # and above
ENDLESS = "/live"  # a span of it would end with the page


def trace(app: App, db: Database, endpoint: str | None) -> App:
    """Wrap the application so that requests and their queries are traced.

    Raises Invalid when the extra `pilothouse[telemetry]` is not installed.
    """
    if endpoint is None:
        return app
    try:
        from opentelemetry import trace as api
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise Invalid(
            "otlp_endpoint is set, but OpenTelemetry is not installed. Install "
            "pilothouse[telemetry], or unset otlp_endpoint."
        ) from error
    resource = Resource.create({"service.name": "pilothouse", "service.version": __version__})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    api.set_tracer_provider(provider)
    tracer = provider.get_tracer("pilothouse", __version__)
    _trace_queries(db, tracer)
    return Traced(app, tracer)


class Traced:
    """ASGI middleware: each request is a span, within the caller's trace if it names one."""

    def __init__(self, app: App, tracer: Any) -> None:
        self.app = app
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == ENDLESS:
            await self.app(scope, receive, send)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, Status, StatusCode

        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        with self.tracer.start_as_current_span(
            scope["method"], context=extract(headers), kind=SpanKind.SERVER
        ) as span:
            span.set_attribute("http.request.method", scope["method"])

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= SERVER_ERROR:
                        span.set_status(Status(StatusCode.ERROR))
                await send(message)

            try:
                await self.app(scope, receive, sending)
            finally:  # by now it is known whether a key stands in the path
                span.set_attribute("url.path", shown_path(scope))
            if route := scope.get("path_template"):
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.route", route)


def _trace_queries(db: Database, tracer: Any) -> None:
    """A span for each statement within a traced request; a worker's looks for work are none."""
    from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span

    def begun(
        _conn: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: Any
    ) -> None:
        if get_current_span().is_recording():
            span = tracer.start_span(statement.partition(" ")[0], kind=SpanKind.CLIENT)
            span.set_attribute("db.system.name", db.engine.dialect.name)
            span.set_attribute("db.query.text", statement)
            context.span = span

    def ended(
        _conn: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: Any
    ) -> None:
        if (span := getattr(context, "span", None)) is not None:
            span.end()

    def failed(error: Any) -> None:
        if (span := getattr(error.execution_context, "span", None)) is not None:
            span.set_status(Status(StatusCode.ERROR, type(error.original_exception).__name__))
            span.end()

    event.listen(db.engine, "before_cursor_execute", begun)
    event.listen(db.engine, "after_cursor_execute", ended)
    event.listen(db.engine, "handle_error", failed)
