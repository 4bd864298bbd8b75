"""
Reads, analyses and reports on files and spans as no exporter writes them, and counts what goes wrong.

    python tests/bench/fuzz.py [--inputs N] [--seed S] [--first I]

Every input is drawn from the seed and its own number, so that ``--first I --inputs 1`` repeats one. An input passes if
nothing is raised but `UnreadableError`, if it takes at most 2 s and 2 s more for each MB, if the memory grows by at
most ten times its size and 200 MB, and if each report is well-formed. One input in 200 is large.

The program prints the inputs tried, the seconds they took, the slowest, the peak memory, and each failure.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import zstandard

from otel_parallelism import analyze_spans
from otel_parallelism.execution.prompt import prompt
from otel_parallelism.readers import UnreadableError
from otel_parallelism.readers.any_format import read_spans
from otel_parallelism.reports.html import render_html
from otel_parallelism.reports.json import render_json
from otel_parallelism.reports.text import render_text
from otel_parallelism.reports.trace_event import render_trace_event
from tests.readers.hostile_files import LARGE, SMALL, hostile_file, hostile_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_parallelism.model import Analysis, SpanRecord

ONE_IN = 200
S_FOR_ANY = 2.0
S_PER_MB = 2.0
TIMES_THE_INPUT = 10
BYTES_FOR_ANY = 200_000_000
MB = 1_000_000
WIDTH = 100
SCRIPTS_OF_A_PAGE = 2


class TooSlowError(BaseException):
    """An input took three times as long as it may."""


class MalformedReportError(Exception):
    """A report has characters or lines that it must not have."""


@dataclass
class Tally:
    """What the inputs took, and which failed."""

    tried: int = 0
    spans: int = 0
    slowest_s: float = 0.0
    slowest: int = 0
    slowest_s_per_mb: float = 0.0
    most_bytes: int = 0
    failures: dict[str, list[int]] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)


def read_all(path: Path) -> list[SpanRecord]:
    """Return the spans of the file at *path*, broken lines skipped; also read it up to the first broken line."""
    with contextlib.suppress(UnreadableError):
        list(read_spans(path))
    spans: list[SpanRecord] = []
    with contextlib.suppress(UnreadableError):
        spans.extend(read_spans(path, skip=lambda _: None))
    return spans


def report_in_every_form(spans: Iterable[SpanRecord]) -> None:
    """
    Analyse *spans* and write all reports.

    Raises:
        MalformedReportError: A report is not well-formed.
    """
    analysis = analyze_spans(spans)
    for report in analysis.reports[:3]:
        json.loads(report.to_json())
    check_reports(analysis)


def check_reports(analysis: Analysis) -> None:
    """
    Write all reports on *analysis*, and check the form of each.

    Raises:
        MalformedReportError: One is not well-formed.
    """
    _strict_json(render_json(analysis))
    _strict_json(render_trace_event(analysis))
    text = render_text(analysis, width=WIDTH)
    _printable("text", text)
    _printable("prompt", prompt(finding for report in analysis.reports for finding in report.findings))
    page = render_html(analysis, prompt=prompt)
    if page.lower().count("</script") != SCRIPTS_OF_A_PAGE:
        raise MalformedReportError("html: another script")
    page.encode()


def _strict_json(text: str) -> None:
    def refuse(constant: str) -> Any:
        raise MalformedReportError(f"JSON with {constant}")

    text.encode()
    json.loads(text, parse_constant=refuse)


def _printable(form: str, text: str) -> None:
    text.encode()
    for line in text.splitlines():
        odd = [character for character in line if not (character.isprintable() or character == "\N{NO-BREAK SPACE}")]
        if odd:
            raise MalformedReportError(f"{form}: {odd[:5]!r}")


def content_bytes(spans: list[SpanRecord]) -> int:
    """Return about how many bytes *spans* hold."""
    return sum(len(str(key)) + _length(value) for span in spans for key, value in span.attributes.items())


def _length(value: object) -> int:
    if isinstance(value, list):
        return 8 * len(value) + sum(map(_length, value[:100]))
    return len(value) if isinstance(value, str | bytes) else 8


def expanded_size(content: bytes) -> int:
    """Return how many bytes *content* holds when it is unpacked, as far as it can be."""
    unpacked = 0
    try:
        if content.startswith(b"\x1f\x8b"):
            unpacked = len(zlib.decompressobj(wbits=31).decompress(content))
        elif content.startswith(b"\x28\xb5\x2f\xfd"):
            unpacked = len(zstandard.ZstdDecompressor().decompressobj().decompress(content))
    except (zlib.error, zstandard.ZstdError):  # broken on purpose
        pass
    return max(len(content), unpacked)


def attempt(number: int, seed: int, path: Path, tally: Tally, patience: float = 1.0) -> None:
    """Draw one input, try it, and add what happened to *tally*; the file at *path* is overwritten."""
    choose = random.Random(f"{seed}/{number}")  # noqa: S311 - not a secret
    length = LARGE if choose.randrange(ONE_IN) == 0 else SMALL
    is_file = choose.random() < 0.6
    size, given = 0, []
    if is_file:
        content = hostile_file(choose, length)
        path.write_bytes(content)
        size = expanded_size(content)
        del content
    else:
        given = hostile_spans(choose, length)
        size = content_bytes(given)
    allowed_s = (S_FOR_ANY + S_PER_MB * size / MB) * patience
    before = _reset_peak()
    began = time.process_time()
    problem = ""
    try:
        with limited(3 * allowed_s):
            spans = read_all(path) if is_file else given
            tally.spans += len(spans)
            report_in_every_form(spans)
    except TooSlowError:
        problem = "hangs: " + _place(sys.exc_info()[1])
    except BaseException as error:  # noqa: BLE001 - what is counted
        problem = f"{type(error).__name__}: {str(error)[:100]!a}: {_place(error)}"
    took_s = time.process_time() - began
    grown = _peak() - before
    if not problem and took_s > allowed_s:
        problem = f"slow: {'file' if is_file else 'spans'}"
    if not problem and grown > TIMES_THE_INPUT * size + BYTES_FOR_ANY:
        problem = f"memory: {'file' if is_file else 'spans'}"
    tally.tried += 1
    if took_s > tally.slowest_s:
        tally.slowest_s, tally.slowest = took_s, number
    if size > MB / 10:
        tally.slowest_s_per_mb = max(tally.slowest_s_per_mb, took_s / size * MB)
    tally.most_bytes = max(tally.most_bytes, grown)
    if problem:
        tally.failures.setdefault(problem, []).append(number)
        if len(tally.failures[problem]) == 1:
            print(f"{number}: {problem} ({size} bytes, {took_s:.2f} s, {grown / MB:.0f} MB)", flush=True)


def _place(error: BaseException | None) -> str:
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    own = [frame for frame in frames if "otel_parallelism" in frame.filename] or list(frames)
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(own[-3:]))


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise TooSlowError in the block after so many seconds of processor time."""

    def stop(*_: object) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _reset_peak() -> int:
    """Return the memory in use, and start to measure its peak anew where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """Return the highest memory in use since the last reset, in bytes."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fuzz(inputs: int, seed: int, first: int = 0, patience: float = 1.0) -> Tally:
    """Try *inputs* inputs, each *patience* times as long as it may take, and return what happened."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, first + inputs):
            attempt(number, seed, Path(folder) / "spans", tally, patience)
    return tally


def main() -> None:
    """Fuzz as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    chosen = parser.parse_args()
    began = time.process_time()
    tally = fuzz(chosen.inputs, chosen.seed, chosen.first)
    print(f"inputs tried        {tally.tried:,}")
    print(f"spans analysed      {tally.spans:,}")
    print(f"seconds             {time.process_time() - began:,.0f}")
    print(f"slowest input       {tally.slowest_s:.2f} s (number {tally.slowest})")
    print(f"slowest per MB      {tally.slowest_s_per_mb:.2f} s, of inputs over 0.1 MB")
    print(f"peak memory         {tally.most_bytes / MB:,.0f} MB more than before the input")
    print(f"failures            {sum(map(len, tally.failures.values())):,} of {len(tally.failures)} kinds")
    for problem, numbers in sorted(tally.failures.items()):
        print(f"  {len(numbers):5}  {problem}  {numbers[:5]}")
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
