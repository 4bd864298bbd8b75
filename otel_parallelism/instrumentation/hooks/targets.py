"""
Functions of the user's own that are to be recorded as tools, named by module and pattern.

``module:name`` and ``module:Class.method`` name one function of any kind. With globs (``myapp.tools:*``,
``myapp.*:Client.fetch_*``) those are taken that are public, async and defined there; on request sync ones too.
"""

from __future__ import annotations

import importlib.abc
import inspect
import logging
import re
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import msgspec
import wrapt

from otel_parallelism.names import INSTRUMENTATION
from otel_parallelism.tracing.spans.decorator import record
from otel_parallelism.tracing.spans.kinds import Profiled, kind_of

from .patching import PATCHING, Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_logger = logging.getLogger(INSTRUMENTATION)
_GLOB = re.compile(r"[*?\[]")
_SPECIFICATION = re.compile(r"[\w.*?\[\]-]+:[\w.*?\[\]-]+")


class WrappedFunction(msgspec.Struct, frozen=True):
    """A function that was replaced: where it stands, and what stood there before."""

    place: str
    original: Any


class Targets:
    """
    What the user named.

    ``titles`` are the specifications by module, ``wrapped`` the functions that they led to, ``unmatched`` those that
    led to none, and ``odd`` those that are no specifications.
    """

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.wrapped: list[WrappedFunction] = []
        self.unmatched: list[str] = []
        self.odd: list[str] = []
        self._finder: _Finder | None = None

    def start(self, specifications: Iterable[str], *, sync: bool) -> None:
        """
        Record the functions that *specifications* name, in modules that are imported and in those that will be.

        Args:
            specifications: As the module says; what is none is logged and left out.
            sync: Whether globs take functions that are not async.
        """
        self.titles.clear()
        self.wrapped.clear()
        self.unmatched.clear()
        self.odd.clear()
        far: list[str] = []
        for specification in specifications:
            if not _SPECIFICATION.fullmatch(specification):
                self.odd.append(specification)
                _logger.warning("target %r is ignored: it is not of the form module:function", specification)
                continue
            module = specification.partition(":")[0]
            if _GLOB.search(module):
                far.append(specification)
            else:
                PATCHING.add([self._switch(specification, module, sync=sync)])
        if far:
            self._follow(far, sync=sync)

    def stop(self) -> None:
        """Look for no more modules; what was wrapped is taken out with the other patches."""
        if self._finder is not None and self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self._finder = None

    def _follow(self, specifications: list[str], *, sync: bool) -> None:
        """Watch for modules whose names match; those that are there already are taken at once."""
        seen: set[tuple[str, str]] = set()

        def found(module: str) -> None:
            for specification in specifications:
                if fnmatchcase(module, specification.partition(":")[0]) and (module, specification) not in seen:
                    seen.add((module, specification))
                    PATCHING.add([self._switch(specification, module, sync=sync, quiet=True)])

        for module in tuple(sys.modules):
            found(module)
        self._finder = _Finder(found)
        # wrapt's own finder, which runs what waits for a module, must come after this one.
        wrapt.register_post_import_hook(_nothing, "otel_parallelism.never")
        sys.meta_path.insert(0, self._finder)

    def _switch(self, specification: str, module: str, *, sync: bool, quiet: bool = False) -> Switch:
        pattern = specification.partition(":")[2]

        def turn_on(loaded: Any) -> Callable[[], None]:
            places = tuple(_matching(loaded, pattern, sync=sync))
            if not places and not quiet:
                self.unmatched.append(specification)
                _logger.warning("target %r matches no %s", specification, "function" if sync else "async function")
            undo = [self._wrap(*place) for place in places]

            def turn_off() -> None:
                for one in reversed(undo):
                    one()

            return turn_off

        title = f"{module}:{pattern}"
        self.titles.append(title)
        return Switch(module, turn_on, title)

    def _wrap(self, parent: Any, name: str, place: str) -> Callable[[], None]:
        original = vars(parent)[name]
        wrapper = record(original, enabled=lambda: PATCHING.active)
        setattr(parent, name, wrapper)
        function = original.__func__ if isinstance(original, staticmethod | classmethod) else original
        self.wrapped.append(WrappedFunction(place, function))

        def undo() -> None:
            if vars(parent).get(name) is wrapper:
                setattr(parent, name, original)

        return undo


def _matching(module: Any, pattern: str, *, sync: bool) -> Iterator[tuple[Any, str, str]]:
    """Yield parent, name and place of the functions of *module* that *pattern* names."""
    owner, _, leaf = pattern.rpartition(".")
    parents = [(module, module.__name__)]
    for part in owner.split(".") if owner else ():
        parents = [
            (inner, f"{place}.{name}")
            for parent, place in parents
            for name, inner in tuple(vars(parent).items())
            if isinstance(inner, type) and fnmatchcase(name, part) and _is_defined_in(inner, module)
        ]
    for parent, place in parents:
        for name, found in tuple(vars(parent).items()):
            if fnmatchcase(name, leaf) and _is_wanted(found, name, module, exact=name == leaf, sync=sync):
                yield parent, name, f"{place}.{name}"


def _is_wanted(found: Any, name: str, module: Any, *, exact: bool, sync: bool) -> bool:
    function = found.__func__ if isinstance(found, staticmethod | classmethod) else found
    if isinstance(function, type | Profiled) or not callable(function):
        return False
    if exact:
        return True
    return (
        not name.startswith("_")
        and inspect.isfunction(inspect.unwrap(function))
        and _is_defined_in(function, module)
        and (sync or kind_of(found) in {"coroutine", "async generator"})
    )


def _is_defined_in(thing: Any, module: Any) -> bool:
    return bool(getattr(thing, "__module__", None) == module.__name__)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds no module, but hears of every one that is about to be imported."""

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found

    def find_spec(self, fullname: str, _: object = None, __: object = None) -> None:
        """Say that *fullname* is being imported."""
        self._found(fullname)


def _nothing(_: Any) -> None:
    pass


class StaleReference(msgspec.Struct, frozen=True):
    """A reference to a function that was taken before it was wrapped: calls through it are not seen."""

    place: str
    target: str


def stale_references(wrapped: Iterable[WrappedFunction]) -> list[StaleReference]:
    """
    Return where modules still hold the originals of *wrapped*: in names of their own, or in a list, tuple, set or dict.

    Args:
        wrapped: The functions that were replaced.
    """
    originals = {id(one.original): one.place for one in wrapped}
    found: list[StaleReference] = []
    for module in tuple(sys.modules.values()):
        title = getattr(module, "__name__", None)
        names = getattr(module, "__dict__", None)
        if not isinstance(title, str) or not isinstance(names, dict):
            continue
        for name, value in tuple(names.items()):
            # Ours hold them on purpose.
            if title.startswith("otel_parallelism."):
                continue
            found += [
                StaleReference(f"{title}.{name}", originals[id(one)]) for one in _held(value) if id(one) in originals
            ]
    return sorted(set(found), key=lambda one: one.place)


def _held(value: Any) -> Iterable[Any]:
    if type(value) is dict:
        return tuple(value.values())
    return tuple(value) if type(value) in {list, tuple, set, frozenset} else (value,)


TARGETS = Targets()
"""The targets of this process."""
