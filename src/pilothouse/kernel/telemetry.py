"""OpenTelemetry traces, when an endpoint is set; nothing of it is imported otherwise."""

from __future__ import annotations

from pilothouse import __version__
from pilothouse.kernel.errors import Invalid
from pilothouse.kernel.tx import Database
from pilothouse.kernel.web.edge import App


def trace(app: App, db: Database, endpoint: str | None) -> App:
    """Wrap the application so that requests and queries are traced.

    Raises Invalid when the extra `pilothouse[telemetry]` is not installed.
    """
    if endpoint is None:
        return app
    try:
        from opentelemetry import trace as api
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
        from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
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
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    api.set_tracer_provider(provider)
    SQLAlchemyInstrumentor().instrument(engine=db.engine)
    return OpenTelemetryMiddleware(app, tracer_provider=provider)  # pyright: ignore[reportReturnType,reportArgumentType]
