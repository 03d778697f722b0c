"""Traces to an OpenTelemetry collector, where the settings name one; secrets and texts kept out.

Traces begin with what is worth following: a walk, a push, a dispatch, a reply. Statements outside
of those (a loop that looks whether something is due) are not told. No header of a trace goes to a
marketplace, no address of a request into a span. An error is told by its type: what it says may
quote a row.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import structlog

from core import loops, spans

try:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from opentelemetry.sdk.trace.sampling import (
        Decision,
        ParentBased,
        Sampler,
        SamplingResult,
        TraceIdRatioBased,
    )
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ImportError as fault:
    raise ImportError("traces need an extra: pip install 'replyby[otel]'") from fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from opentelemetry.trace import Span, Tracer

    from core.configuration.telemetry import Otel
    from core.log import Redaction
    from core.spans import Attribute

log = structlog.get_logger()

NAME = "replyby"
PATH = "/v1/traces"
EXPORT = 5.0
"""Seconds for one batch to leave."""
FAREWELL = 1.5
"""Seconds for what is left to leave when we stop."""
ERROR_TYPE = "error.type"


class Ours(Sampler):
    """Lets a trace begin with a span of ours, in this share; a lone statement begins none."""

    def __init__(self, share: float) -> None:
        self._some = TraceIdRatioBased(share)

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Any = None,  # noqa: ARG002  # as the SDK has it
        trace_state: Any = None,  # noqa: ARG002  # likewise
    ) -> SamplingResult:
        """Whether the trace that begins with this span is told."""
        if kind is SpanKind.CLIENT:
            return SamplingResult(Decision.DROP)
        return self._some.should_sample(parent_context, trace_id, name, kind, attributes)

    def get_description(self) -> str:
        """How the SDK calls it."""
        return f"Ours({self._some.get_description()})"


class Discreet(SpanExporter):
    """Hands on what holds no secret and nobody's words: of an error its type alone."""

    def __init__(self, exporter: SpanExporter, redaction: Redaction) -> None:
        self._exporter = exporter
        self._redaction = redaction
        self._arrive = True
        self._telling = threading.Lock()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send *spans*; whether they arrived."""
        result = self._exporter.export([self._plain(span) for span in spans])
        self._say(arrive=result is SpanExportResult.SUCCESS)
        return result

    def _say(self, *, arrive: bool) -> None:
        """That traces do not arrive is said once, and once that they do; threads take turns."""
        with self._telling:
            if arrive is not self._arrive:
                self._arrive = arrive
                say = log.info if arrive else log.warning
                say("traces arrive again" if arrive else "traces do not arrive")

    def shutdown(self) -> None:
        """No more will come."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether all that was handed on has left."""
        return self._exporter.force_flush(timeout_millis)

    def _plain(self, span: ReadableSpan) -> ReadableSpan:
        errors = [event for event in span.events if "exception.type" in (event.attributes or {})]
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._hidden(span.attributes or {}),
            events=[self._named(event) for event in errors],
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _hidden(self, attributes: Any) -> dict[str, Any]:
        return {key: self._redaction.value(value) for key, value in attributes.items()}

    @staticmethod
    def _named(event: Event) -> Event:
        kind = (event.attributes or {})["exception.type"]
        return Event(event.name, {"exception.type": kind}, event.timestamp)


class _Told:
    """A span of ours, as the SDK keeps it."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def put(self, **attributes: Attribute) -> None:
        """Say more about it."""
        self._span.set_attributes({f"{NAME}.{key}": value for key, value in attributes.items()})


def _spans_of(tracer: Tracer) -> spans.Tracer:
    @contextmanager
    def begun(name: str, attributes: dict[str, Attribute]) -> Iterator[spans.Span]:
        said = {f"{NAME}.{key}": value for key, value in attributes.items()}
        with tracer.start_as_current_span(
            name, attributes=said, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield _Told(span)
            except BaseException as fault:
                span.set_attribute(ERROR_TYPE, type(fault).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    return begun


@asynccontextmanager
async def told(options: Otel, redaction: Redaction) -> AsyncIterator[None]:
    """Send traces meanwhile, as *options* say.

    A collector that is away costs nothing but its traces.
    """
    exporter = OTLPSpanExporter(
        endpoint=f"{options.endpoint}{PATH}",
        headers=options.sent_with() or None,
        timeout=EXPORT,
    )
    own = {"service.name": options.service, "service.version": version(NAME)}
    provider = TracerProvider(
        sampler=ParentBased(Ours(options.sample)),
        resource=Resource.create(own),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(Discreet(exporter, redaction)))
    statements = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]  # it has no types here
    statements.instrument(tracer_provider=provider)
    try:
        with spans.traced_by(_spans_of(provider.get_tracer(NAME, version(NAME)))):
            yield
    finally:
        statements.uninstrument()
        await _ended(provider)


async def _ended(provider: TracerProvider) -> None:
    """Let go of what is left; a collector that hangs holds nobody up."""
    gone, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # nobody waited so long
            loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=end, name="traces end", daemon=True).start()
    await loops.pause(gone, FAREWELL)
