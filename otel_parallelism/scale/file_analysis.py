"""
Analyses the turns in files of spans, in one process or in several, with the same result.

With several processes, each reads parts of the files and writes their spans to a temporary file, grouped by trace.
Then each analyses groups of traces, the largest first. The reports are joined in order of start.
"""

from __future__ import annotations

import contextlib
import gc
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from otel_parallelism.analysis.analyze import AnalysisPart, analyze_part
from otel_parallelism.dialects import classifier
from otel_parallelism.dialects.parsing.result_attributes import recorded_result
from otel_parallelism.errors import UnreadableError
from otel_parallelism.fleet.trace_buffer import MOST_IN_MEMORY, batches_of, may_belong_elsewhere, traces_of
from otel_parallelism.readers.file_parts import FilePart, PartReader, file_parts, is_shared
from otel_parallelism.readers.parsing.skipped_errors import SkippedFiles
from otel_parallelism.readers.part_outcomes import PartOutcome, must_be_read_whole, report_errors
from otel_parallelism.readers.source_folder import sources_in
from otel_parallelism.settings import Settings

from .kept_turns import join_many
from .lean_reports import without_contents
from .packing import Packing
from .span_file import Piece, SpanFile
from .worker_pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from otel_parallelism.model import Analysis, SpanRecord

GROUP_BYTES: Final = 4 << 20
PARTS_FOR_EACH: Final = 8
"""How many parts of the input each process reads, and how many groups of traces it analyses, at least."""
MOST_GROUPS: Final = 512
SMALLEST_PART_BYTES: Final = 1 << 20
LARGEST_PART_BYTES: Final = 16 << 20
MOST_TURNS_IN_MEMORY: Final = 5_000
"""The reports of more turns, of about 5 kB each, go to a temporary file."""
_BETWEEN_COLLECTIONS: Final = 20_000
_PARTS: Final = Packing[list[AnalysisPart]](list[AnalysisPart])


class HowToAnalyze(msgspec.Struct, frozen=True):
    """
    How spans are analysed: ``settings``, and as for `analyze_spans`.

    ``recompute`` is whether results that spans carry are worked out anew, ``source`` a folder with source or None.
    """

    settings: Settings
    recompute: bool = False
    source: str | None = None

    def part_analyzer(self) -> Callable[[Iterable[SpanRecord]], AnalysisPart]:
        """Return the function that analyses some traces."""
        settings = self.settings
        classify = classifier(settings)
        recorded = None if self.recompute or self.source is not None else recorded_result
        sources = None if self.source is None else sources_in(self.source)

        def analyze_traces(spans: Iterable[SpanRecord]) -> AnalysisPart:
            return without_contents(analyze_part(spans, classify, settings, recorded=recorded, sources=sources))

        return analyze_traces


def analyze_in_one_process(spans: Iterable[SpanRecord], how: HowToAnalyze) -> Analysis:
    """
    Return the analysis of *spans*, in any order. Its reports hold no contents of calls.

    Spans and reports go to temporary files if there are very many. The garbage collector runs between traces.
    """
    analyze_traces = how.part_analyzer()

    def parts() -> Iterator[AnalysisPart]:
        since = 0
        for traces in batches_of(traces_of(spans, most_in_memory=MOST_IN_MEMORY)):
            since += sum(map(len, traces))
            if since >= _BETWEEN_COLLECTIONS:
                since = 0
                gc.collect()
                gc.freeze()
            yield analyze_traces(chain.from_iterable(traces))

    with _without_collections():
        return join_many(parts(), most_in_memory=MOST_TURNS_IN_MEMORY)


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """
    Disable the garbage collector.

    What is kept grows and has no cycles, so that looking through it again and again would only take time.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        if collecting:
            gc.enable()


def analyze_in_processes(
    files: Sequence[str],
    how: HowToAnalyze,
    jobs: int,
    skip: Callable[[UnreadableError], None],
    advance: Callable[[int], None],
    *,
    skip_file: Callable[[UnreadableError], None] | None = None,
) -> Analysis:
    """
    Return the analysis of all spans in *files*, as `analyze_in_one_process` does.

    Args:
        files: As for `read_spans`, one input together.
        how: How they are analysed.
        jobs: The number of processes that read and analyse.
        skip: Called with the error of each line that cannot be read.
        advance: Called with the number of bytes read so far.
        skip_file: Called with the error of each file that cannot be read, if another file can be; None to raise it.

    Raises:
        UnreadableError: A file cannot be read, or none can be.
        WorkerError: One of the processes was killed, or failed.
    """
    sizes = {file: Path(file).stat().st_size for file in files if is_shared(file)}
    total = sum(sizes.values())
    groups = min(MOST_GROUPS, max(PARTS_FOR_EACH * jobs, total // GROUP_BYTES))
    part_bytes = min(LARGEST_PART_BYTES, max(SMALLEST_PART_BYTES, total // (PARTS_FOR_EACH * jobs)))
    with tempfile.TemporaryDirectory(prefix="otel-parallelism-", ignore_cleanup_errors=True) as folder:
        names = [str(Path(folder, f"spans-{number}")) for number in range(jobs + 1)]
        for name in names:
            Path(name).touch(mode=0o600)
        with (
            Path(names[-1]).open("r+b", buffering=0) as own,
            WorkerPool(jobs, SpanWorker, (how, names, groups)) as pool,
        ):
            _unlink(names)  # each process has opened them
            parts = [part for file in files for part in file_parts(file, how.settings, part_bytes)]
            own_spans = SpanFile(own, groups)
            read = _read_all(parts, pool, own_spans, how.settings, advance)
            pieces: dict[int, list[tuple[int, Piece]]] = {}
            kept: list[PartSpans] = []
            unread = SkippedFiles(skip_file)
            for file, in_parts in _by_file(files, parts, read):
                whole = must_be_read_whole([one.outcome for one in in_parts])
                of_file = [_read(FilePart(file), own_spans, -1, how.settings)] if whole else in_parts
                counted = len(of_file)
                try:
                    counted = report_errors(file, [one.outcome for one in of_file], skip)
                    unread.read()
                except UnreadableError as error:
                    unread.add(error)  # the spans before the error count, as in one process
                kept += of_file[:counted]
                for one in of_file[:counted]:
                    for piece in one.pieces:
                        pieces.setdefault(piece.group, []).append((one.holder, piece))
            unread.close()
            largest = sorted(pieces.values(), key=lambda held: -sum(piece.length for _, piece in held))
            related = any(one.related for one in kept)
            if related and sum(one.spans for one in kept) <= MOST_IN_MEMORY:
                # As in one process, any of them may belong together.
                largest = [[piece for held in largest for piece in held]]
                related = False
            tasks = [TraceGroup(held, apart=related) for held in largest]
            with _without_collections():
                analysed = (part for _, packed in pool.results(tasks) for part in _PARTS.unpack(packed))
                return join_many(analysed, most_in_memory=MOST_TURNS_IN_MEMORY)


class PartSpans(msgspec.Struct, frozen=True):
    """
    How the reading of a part ended, and where its spans are: pieces of the file number ``holder``.

    ``spans`` is how many they are, ``related`` whether one of them may belong to a turn of another trace.
    """

    outcome: PartOutcome
    holder: int
    pieces: list[Piece]
    spans: int
    related: bool


class TraceGroup(msgspec.Struct, frozen=True):
    """Traces to analyse, given by files and pieces of them; ``apart`` if each trace is to be analysed alone."""

    pieces: list[tuple[int, Piece]]
    apart: bool


def _read_all(
    parts: Sequence[FilePart], pool: WorkerPool, own: SpanFile, settings: Settings, advance: Callable[[int], None]
) -> list[PartSpans]:
    """Read all *parts*; those that no other process can open are read here."""
    found: dict[int, PartSpans] = {}
    shared = [number for number, part in enumerate(parts) if is_shared(part.path)]
    for number in sorted(set(range(len(parts))) - set(shared)):
        found[number] = _read(parts[number], own, -1, settings)
    done = 0
    for place, result in pool.results([parts[number] for number in shared]):
        found[shared[place]] = result
        part = parts[shared[place]]
        done += Path(part.path).stat().st_size if part.kind == "file" else max(0, part.stop - part.start)
        advance(done)
    return [found[number] for number in range(len(parts))]


def _read(part: FilePart, into: SpanFile, holder: int, settings: Settings) -> PartSpans:
    reader = PartReader(part, settings)
    pieces: list[Piece] = []
    some: list[SpanRecord] = []
    count, related = 0, False
    for span in reader.spans():
        some.append(span)
        count += 1
        related = related or may_belong_elsewhere(span)
        if len(some) >= _BETWEEN_COLLECTIONS:
            pieces += into.append(some)
            some.clear()
    pieces += into.append(some)
    return PartSpans(reader.outcome, holder, pieces, count, related)


def _by_file(
    files: Sequence[str], parts: Sequence[FilePart], read: Sequence[PartSpans]
) -> Iterator[tuple[str, list[PartSpans]]]:
    """Yield each file with what was read of its parts."""
    at = 0
    for file in files:
        stop = at + 1
        while stop < len(parts) and parts[stop].path == file and parts[stop].start > 0:
            stop += 1
        yield file, list(read[at:stop])
        at = stop


def _unlink(names: Sequence[str]) -> None:
    """Delete the files, which stay open; Windows cannot, and deletes them at the end."""
    for name in names:
        try:
            Path(name).unlink()
        except OSError:
            return


class SpanWorker:
    """
    What a worker process does: it reads a part of a file, or analyses a group of traces.

    Args:
        number: The number of the process.
        shared: How spans are analysed, the names of all files of spans, one for each process, and the number of groups.
    """

    def __init__(self, number: int, shared: tuple[HowToAnalyze, Sequence[str], int]) -> None:
        """Open the files."""
        self._how, names, groups = shared
        self._number = number
        opened = [Path(name).open("r+b", buffering=0) for name in names]  # noqa: SIM115 - `close` closes them
        self._files = [SpanFile(file, groups) for file in opened]
        self._analyze = self._how.part_analyzer()

    def __call__(self, task: FilePart | TraceGroup) -> PartSpans | bytes:
        """Return what was read of a part, or the analysis of a group in parts, packed."""
        if isinstance(task, FilePart):
            return _read(task, self._files[self._number], self._number, self._how.settings)
        spans = (span for holder, piece in task.pieces for span in self._files[holder].spans(piece))
        if not task.apart:
            return _PARTS.pack([self._analyze(spans)])
        traces: dict[str, list[SpanRecord]] = {}
        for span in spans:
            traces.setdefault(span.trace_id, []).append(span)
        return _PARTS.pack([self._analyze(chain.from_iterable(some)) for some in batches_of(traces.values())])

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
