"""Opens a file of spans, or standard input, and decompresses it as its first bytes say."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from otel_parallelism.errors import UnreadableError
from otel_parallelism.settings import variable_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

    from otel_parallelism.settings import Settings

STANDARD_INPUT: Final = "-"
SIGNATURE_LENGTH: Final = 64
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
GZIP: Final = b"\x1f\x8b"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
_LENGTH_BYTES: Final = 4
_LONGEST_CHARACTER: Final = 4
_LARGEST_WINDOW: Final = 2**27
_ZSTD_BYTES: Final = 2_048
"""So few are read at a time because each can stand for some 30 kB."""

_SKIPPABLE: Final = b"\x2a\x4d\x18"
_SKIPPABLE_KINDS: Final = bytes(range(0x50, 0x60))
ANY_RATIO_BYTES: Final = 100_000_000
"""Up to this size, what a file decompresses to does not matter: some traces consist of equal lines."""

# First bytes of files that cannot be read.
_SIGNATURES: Final = {
    GZIP: "compressed twice",
    ZSTD: "compressed twice",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    b"SQLite format 3": "a SQLite database",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"# HELP ": "metrics in the form of Prometheus",
}


def display_name(path: str | os.PathLike[str]) -> str:
    """Return the name by which messages call the file."""
    return "standard input" if path == STANDARD_INPUT else str(path) or "''"


@contextmanager
def opened(path: str | os.PathLike[str], expected: str) -> Iterator[io.BufferedReader]:
    """
    Open the file at *path*, or standard input for ``-``.

    Raises:
        UnreadableError: There is no such file, it is a directory, or it cannot be read.
    """
    name = display_name(path)
    if path == "":
        raise UnreadableError(name, None, "the name is empty", expected)
    try:
        with open(0, "rb", closefd=False) if path == STANDARD_INPUT else Path(path).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise UnreadableError(name, None, "there is no such file", expected) from None
    except IsADirectoryError:
        raise UnreadableError(name, None, "it is a directory", f"{expected}, or a folder that has some") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnreadableError(name, None, f"it cannot be read ({reason})", "a readable file") from None


def peeked(file: io.BufferedReader) -> bytes:
    """Return the first bytes of *file*, which stay unread: a pipe cannot be rewound."""
    return file.peek(SIGNATURE_LENGTH)[:SIGNATURE_LENGTH]


def decompressed(name: str, file: io.BufferedReader, settings: Settings) -> io.BufferedReader:
    """
    Return *file* itself, or a stream of what it contains if it is compressed with gzip or zstd.

    The stream raises `TooLargeError` if it becomes longer than *settings* allow.

    Raises:
        UnreadableError: It is compressed with zstd, and no library for that is installed.
    """
    start = peeked(file)
    packed = _Counted(file)
    if start.startswith(GZIP):
        unpacked: gzip.GzipFile | _ZstdFrames = gzip.GzipFile(fileobj=packed)
    elif is_zstd(start):
        unpacked = _zstd(name, packed)
    else:
        return file
    return io.BufferedReader(_Bounded(packed, unpacked, settings))


class TooLargeError(Exception):
    """A line, or what a compressed file contains, is larger than the settings allow; the message says how to go on."""


class _Counted(io.RawIOBase):
    """The bytes of *file*, counted as they are read."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        read = self._file.readinto(buffer)
        self.count += read
        return read


class _Bounded(io.RawIOBase):
    """What the compressed bytes *packed* contain, up to the limits in *settings*."""

    def __init__(self, packed: _Counted, unpacked: gzip.GzipFile | _ZstdFrames, settings: Settings) -> None:
        self._packed = packed
        self._unpacked = unpacked
        self._settings = settings
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        most, ratio = self._settings.max_decompressed_bytes, self._settings.max_decompression_ratio
        # What is before an error or a limit is not lost.
        data = self._unpacked.read1(max(1, min(len(view), most - self._count)))
        view[: len(data)] = data
        self._count += len(data)
        if self._count > most:
            raise TooLargeError(f"it decompresses to more than {most:,} bytes; {raised('max_decompressed_bytes')}")
        if self._count > max(ANY_RATIO_BYTES, ratio * self._packed.count):
            raise TooLargeError(f"it decompresses to {ratio:,} times its size; {raised('max_decompression_ratio')}")
        return len(data)


def raised(setting: str) -> str:
    """Return a clause that says how to raise the limit *setting*."""
    return f"{variable_of(setting)} raises the limit"


def read_whole(file: io.BufferedReader, settings: Settings, start: bytes = b"") -> bytes:
    """
    Return *start* and all that is left of *file*.

    Raises:
        TooLargeError: It is longer than ``max_line_bytes`` of *settings*.
    """
    most = settings.max_line_bytes
    data = start + file.read(max(0, most - len(start)) + 1)
    if len(data) > most:
        raise TooLargeError(f"a value is longer than {most:,} bytes; {raised('max_line_bytes')}")
    return data


class _ZstdFrames:
    """What the zstd frames in *packed* contain."""

    def __init__(self, packed: io.RawIOBase, decompressor: Any) -> None:
        self._packed = packed
        self._decompressor = decompressor
        self._frame: Any = None
        self._rest = b""
        self._unpacked = io.BytesIO()

    def read1(self, most: int) -> bytes:
        """
        Return the next bytes, at most *most*; empty at the end.

        Raises:
            EOFError: The last frame is not complete.
        """
        while not (data := self._unpacked.read(most)):
            chunk = self._rest or self._packed.read(_ZSTD_BYTES)
            if not chunk:
                if self._frame is not None:
                    message = "the last zstd frame is not complete"
                    raise EOFError(message)
                return b""
            frame = self._frame or self._decompressor.decompressobj()
            self._unpacked = io.BytesIO(frame.decompress(chunk))
            self._rest = frame.unused_data
            self._frame = None if frame.eof else frame
        return data


def is_zstd(start: bytes) -> bool:
    """Return whether a file with the first bytes *start* is compressed with zstd; it may begin with a frame to skip."""
    return start.startswith(ZSTD) or (start[1:4] == _SKIPPABLE and start[:1] in _SKIPPABLE_KINDS)


def _zstd(name: str, packed: io.RawIOBase) -> _ZstdFrames:
    try:
        from zstandard import ZstdDecompressor  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - an extra
    except ImportError:
        how = 'pip install "otel-parallelism[zstd]"'
        raise UnreadableError(name, None, f"it is compressed with zstd; to read it, {how}", "zstandard") from None
    return _ZstdFrames(packed, ZstdDecompressor(max_window_size=_LARGEST_WINDOW))


def broken_compression() -> tuple[type[Exception], ...]:
    """Return the exceptions that broken compressed data raises."""
    zstandard: Any = sys.modules.get("zstandard")
    known = (EOFError, zlib.error, gzip.BadGzipFile)
    return known if zstandard is None else (*known, zstandard.ZstdError)


def check_text(name: str, start: bytes, expected: str, *, compressed: bool = False) -> None:
    """
    Check that a file with the first bytes *start* may be text.

    Args:
        name: What messages call the file.
        start: The first bytes, decompressed.
        expected: What messages say was expected.
        compressed: Whether the file is compressed.

    Raises:
        UnreadableError: It is another kind of file; the message names the kind.
    """
    for magic, kind in _SIGNATURES.items():
        if start.startswith(magic):
            raise UnreadableError(name, None, f"it is {kind}", expected)
    if b"\0" in start:
        raise UnreadableError(name, None, "it is binary data", expected)
    inside = name.removesuffix(".gz").removesuffix(".zst") if compressed else name
    if inside.endswith((".tar", ".tgz")):
        raise UnreadableError(name, None, "it is a tar archive; unpack it first", expected)
    if inside.endswith((".csv", ".tsv")) and b"{" not in start:
        raise UnreadableError(name, None, "it is a table in CSV; export it as JSON or Parquet instead", expected)


def byte_stream(data: bytes) -> io.BufferedReader:
    """Return *data* as a file that can be peeked into."""
    return io.BufferedReader(cast("io.RawIOBase", io.BytesIO(data)))


def with_lengths(data: bytes) -> tuple[list[bytes], bool]:
    """
    Return the messages in *data*, each after its length in four bytes, as the Collector writes, except empty ones.

    The second value is whether the last message is complete; one that is not is left out.
    """
    messages, at = [], 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        length = int.from_bytes(data[at:start], "big")
        if start + length > len(data):
            break
        if length:
            messages.append(data[start : start + length])
        at = start + length
    return messages, at == len(data)


def is_binary(start: bytes) -> bool:
    """Return whether a file with the first bytes *start* is no text."""
    if b"\0" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return error.start < len(start) - _LONGEST_CHARACTER  # the last character may be cut
    return False
