"""What each service's API gives: single traces by their ids, and what a search finds in a period."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol

import msgspec

from otel_parallelism.errors import UnreadableError

from .address import EXPECTED, Address, parsed, scheme_of

if TYPE_CHECKING:
    from otel_parallelism.settings import Settings

_SUFFIX = "_api"
_NO_SERVICE = frozenset({"http_api"})
"""Modules with the suffix that are no service, but what several services share."""


class Found(msgspec.Struct, frozen=True):
    """
    What a search finds.

    Attributes:
        traces: The ids of the traces in it; empty if they are not known yet.
        text: Their spans, as JSON; None if the trace, then one, has to be asked for by its id.
        part: Whether it may have only some of the spans of its traces; a whole trace is read once.
    """

    traces: tuple[str, ...]
    text: bytes | io.BufferedReader | None = None
    part: bool = False


class TraceStore(Protocol):
    """The stored traces of one server. Its methods raise UnreadableError."""

    def trace(self, trace_id: str) -> bytes | None:
        """Return the spans of a trace, as JSON; None if there is no such trace."""
        ...

    def period(self) -> Iterator[Found]:
        """Yield what there is in the period of the address."""
        ...


class Service(msgspec.Struct, frozen=True):
    """
    One kind of service.

    Attributes:
        options: Parameters of its addresses beside those that all have.
        open: Returns the store at an address; answers are no longer than so many bytes.
    """

    options: frozenset[str]
    open: Callable[[Address, int], TraceStore]


def answers(
    url: str, settings: Settings, skip: Callable[[UnreadableError], None] | None
) -> Iterator[tuple[str, bytes | io.BufferedReader]]:
    """
    Yield what a service answers about the traces that *url* asks for, and how messages call it.

    Args:
        url: The address, as :mod:`.address` describes it.
        settings: ``max_line_bytes`` is the size of the longest answer that is read.
        skip: Called with the error of each trace that is not there; None to stop at the first.

    Raises:
        UnreadableError: There is no such service, it cannot be reached or refuses, or it has no such traces.
    """
    known = {
        name.removesuffix(_SUFFIX)
        for _, name, _ in iter_modules(_folder())
        if name.endswith(_SUFFIX) and name not in _NO_SERVICE
    }
    scheme = scheme_of(url)
    if scheme not in known:
        kinds = ", ".join(f"{name}://" for name in sorted(known))
        raise UnreadableError(f"{scheme}://", None, "there is no such kind of address", f"a file, or one of {kinds}")
    service: Service = import_module(f".{scheme}{_SUFFIX}", __package__).SERVICE
    address = parsed(url, service.options)
    store = service.open(address, settings.max_line_bytes)

    def report(problem: str, expected: str) -> None:
        error = UnreadableError(address.name, None, problem, expected)
        if skip is None:
            raise error
        skip(error)

    read = False
    seen: set[str] = set()
    for found in (Found((trace,)) for trace in address.traces) if address.traces else store.period():
        if not found.part and seen.issuperset(found.traces):
            continue
        if not address.traces and len(seen) >= address.limit and not seen.issuperset(found.traces):
            report(_more_than(address), "fewer traces in the period")
            break
        seen.update(found.traces)
        text = store.trace(found.traces[0]) if found.text is None else found.text
        if text is None:
            report(f"there is no trace {found.traces[0]}", "the id of a trace that the server has")
            continue
        read = True
        yield address.name, text
        if found.part and len(seen) > address.limit:
            report(_more_than(address), "fewer traces in the period")
            break
    if not read:
        problem = "none of these traces is there" if address.traces else "there are no traces in this period"
        raise UnreadableError(address.name, None, problem, EXPECTED)


def _more_than(address: Address) -> str:
    return f"there are more than {address.limit:,} traces; limit= reads more"


def _folder() -> list[str]:
    return list(import_module(__package__ or "").__path__)
