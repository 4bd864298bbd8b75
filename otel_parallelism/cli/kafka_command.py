"""``otel-parallelism kafka`` analyses the traces in a Kafka topic while they come."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from otel_parallelism.shown_names import printable

from .number_range import NumberRange

if TYPE_CHECKING:
    from collections.abc import Container

_BOUND_HELP: Final = "A trace with more spans is left out."


@click.command("kafka", short_help="Analyse the traces in a Kafka topic as they come.")
@click.option(
    "--brokers", metavar="HOST:PORT,...", help="Where the brokers are.  [default: bootstrap.servers of --properties]"
)
@click.option(
    "--topic", default="otlp_spans", show_default=True, help="The topic that the Collector writes, as otlp_proto."
)
@click.option("--group", default="otel-parallelism", show_default=True, help="The consumer group.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Append each turn to FILE as a line of JSON. Each consumer needs a FILE of its own.",
)
@click.option(
    "--properties",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="More settings of librdkafka, such as those of TLS and SASL: KEY=VALUE in each line.",
)
@click.option(
    "--start",
    type=click.Choice(("earliest", "latest")),
    default="earliest",
    show_default=True,
    help="Where a group without committed offsets begins.",
)
@click.option(
    "--idle",
    type=NumberRange(0),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Analyse a trace when no span of it has come for this time.",
)
@click.option(
    "--missing-idle",
    type=NumberRange(0),
    default=900,
    show_default=True,
    metavar="SECONDS",
    help="The same for a trace with spans whose parents have not come: the turn may still run.",
)
@click.option(
    "--remember",
    type=NumberRange(0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    help="Recognize spans that come later, for this time.",
)
@click.option("--max-spans", type=click.IntRange(1), default=50_000, show_default=True, help=_BOUND_HELP)
@click.option(
    "--memory",
    type=click.IntRange(1),
    default=512,
    show_default=True,
    metavar="MB",
    help="Leave out the largest traces when the spans of all open traces take up more.",
)
@click.option(
    "--metadata-bytes",
    type=click.IntRange(100),
    default=4_096,
    show_default=True,
    help="The brokers' offset.metadata.max.bytes.",
)
@click.option(
    "--every",
    type=NumberRange(0),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="Look for complete traces, and commit offsets, this often.",
)
@click.option("--recompute", is_flag=True, help="Work out anew the results that spans carry.")
def kafka(
    *,
    brokers: str | None,
    topic: str,
    group: str,
    out: str,
    properties: str | None,
    start: str,
    idle: float,
    missing_idle: float,
    remember: float,
    max_spans: int,
    memory: int,
    metadata_bytes: int,
    every: float,
    recompute: bool,
) -> None:
    """
    Analyse the traces in a Kafka topic while they come, until SIGTERM or Ctrl-C.

    Each turn is appended to FILE, and its metrics are recorded with the global meter provider: start the command with
    opentelemetry-instrument to export them. Offsets are committed when the turns are written, so that a restart loses
    no turn and writes none twice. The exit status is 2 if the topic cannot be read or FILE cannot be written.
    """
    from otel_parallelism.errors import ParallelismError  # noqa: PLC0415 - a fast --help
    from otel_parallelism.names import INSTRUMENTATION  # noqa: PLC0415 - as above
    from otel_parallelism.scale.file_analysis import HowToAnalyze  # noqa: PLC0415 - as above
    from otel_parallelism.scale.kafka.topic_consumer import OWN_KEYS, TopicConsumer  # noqa: PLC0415 - as above
    from otel_parallelism.scale.kafka.trace_window import WindowBounds  # noqa: PLC0415 - as above
    from otel_parallelism.scale.kafka.turn_file import TurnFile  # noqa: PLC0415 - as above
    from otel_parallelism.scale.kafka.turn_outlets import TurnOutlets  # noqa: PLC0415 - as above
    from otel_parallelism.scale.kafka.turn_stream import TurnStream  # noqa: PLC0415 - as above
    from otel_parallelism.settings import Settings  # noqa: PLC0415 - as above

    configuration = {} if properties is None else _configuration(properties, OWN_KEYS)
    configuration["group.id"] = group
    if brokers is not None:
        configuration["bootstrap.servers"] = brokers
    if "bootstrap.servers" not in configuration:
        message = "give --brokers, or bootstrap.servers in the file of --properties."
        raise click.UsageError(message)
    stopped = _Stopped()
    try:
        settings = Settings.from_environment()
        bounds = WindowBounds(
            idle_s=idle,
            missing_idle_s=missing_idle,
            remember_s=remember,
            most_spans=max_spans,
            most_bytes=memory << 20,
        )
        with TurnFile(out) as file:
            outlets = TurnOutlets(file, settings)
            stream = TurnStream(HowToAnalyze(settings, recompute), bounds, outlets, most_text_bytes=metadata_bytes)
            consumer = TopicConsumer(topic, configuration, stream, file, from_latest=start == "latest", every_s=every)
            outlets.commit_positions = consumer.commit
            stopped.listen()
            logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
            logging.getLogger(INSTRUMENTATION).setLevel(logging.INFO)
            if not outlets.exports_metrics:
                click.echo("metrics are not recorded: start the command with opentelemetry-instrument", err=True)
            consumer.run(stopped.is_set)
    except ParallelismError as error:
        click.echo(printable(str(error)), err=True)
        sys.exit(2)
    click.echo(f"{stream.read_spans:,} spans read, {stream.turns:,} turns written to {out}", err=True)
    if stream.calls_without_turn:
        click.echo(f"{stream.calls_without_turn:,} calls in no turn", err=True)
    for what, number in outlets.counts.items():
        click.echo(f"left out: {number:,} {what}", err=True)


class _Stopped:
    """Whether a signal has asked the command to end."""

    def __init__(self) -> None:
        self._is_set = False

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._set)

    def is_set(self) -> bool:
        return self._is_set

    def _set(self, *_: object) -> None:
        self._is_set = True


def _configuration(path: str, own: Container[str]) -> dict[str, object]:
    """Return the settings in the file at *path*; those in *own* cannot be set."""
    found: dict[str, object] = {}
    for number, line in enumerate(Path(path).read_text("utf-8", "replace").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, separator, value = (part.strip() for part in text.partition("="))
        if not separator or not key:
            message = f"{path}:{number}: expected KEY=VALUE."
            raise click.UsageError(message)
        if key in own:
            message = f"{path}:{number}: {key} cannot be set; the command sets it itself."
            raise click.UsageError(message)
        found[key] = value
    return found
