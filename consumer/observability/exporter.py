"""Where spans go: OTLP over HTTP, by the extra `tracing`; nothing of it is loaded while tracing is off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.trace import Tracer

from consumer.domain.errors import ConfigurationError
from consumer.settings import PREFIX, TracingSettings

NAME: Final = "swoogo-sync"
_SECONDS: Final = 5


@contextmanager
def tracing(settings: TracingSettings) -> Iterator[Tracer | None]:
    """A tracer while the block runs; None when tracing is off.

    Raises ConfigurationError when the extra is not installed.
    """
    if not settings.enabled:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{PREFIX}TRACING__ENABLED needs the extra: pip install swoogo-sync[tracing]; or set it to false."
        ) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": NAME}),
        sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=str(settings.endpoint), timeout=_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer(NAME)
    finally:
        provider.force_flush(_SECONDS * 1000)
        provider.shutdown()
