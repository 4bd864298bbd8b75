"""
Records functions of the user as tools, named by module and pattern.

``module:name`` and ``module:Class.method`` name one function of any kind. A glob (``myapp.tools:*``,
``myapp.*:Client.fetch_*``) selects the public async functions that the module defines; on request sync ones too.
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
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.decorator import record
from otel_parallelism.tracing.spans.kinds import Profiled, kind_of
from otel_parallelism.tracing.state.tool import innermost

from .patching import PATCHING, Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_logger = logging.getLogger(INSTRUMENTATION)
_GLOB = re.compile(r"[*?\[]")
_MOST_WRAPPERS = 100
_SPECIFICATION = re.compile(r"[\w.*?\[\]-]+:[\w.*?\[\]-]+")


class WrappedFunction(msgspec.Struct, frozen=True):
    """A function that was replaced: its place and the original."""

    place: str
    original: Any


class Targets:
    """
    The targets that the user named.

    Attributes:
        titles: The specifications, one for each module that they apply to.
        wrapped: The functions that were replaced.
        unmatched: Specifications that match no function.
        malformed: Texts that are not of the form ``module:function``.
    """

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.wrapped: list[WrappedFunction] = []
        self.unmatched: list[str] = []
        self.malformed: list[str] = []
        self._finder: _ImportObserver | None = None

    def start(self, specifications: Iterable[str], *, sync: bool) -> None:
        """
        Record the functions that *specifications* name, in modules that are imported or will be.

        Args:
            specifications: In the form that the module's docstring gives; others are logged and ignored.
            sync: Whether globs select functions that are not async, too.
        """
        self.titles.clear()
        self.wrapped.clear()
        self.unmatched.clear()
        self.malformed.clear()
        globs: list[str] = []
        for specification in specifications:
            if not _SPECIFICATION.fullmatch(specification):
                self.malformed.append(specification)
                _logger.warning("target %r is ignored: it is not of the form module:function", specification)
                continue
            module = specification.partition(":")[0]
            if _GLOB.search(module):
                globs.append(specification)
            else:
                PATCHING.add([self._switch(specification, module, sync=sync)])
        if globs:
            self._follow(globs, sync=sync)

    def stop(self) -> None:
        """Stop watching for modules. `Patching.stop` restores the functions."""
        if self._finder is not None and self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self._finder = None

    def _follow(self, specifications: list[str], *, sync: bool) -> None:
        """Apply *specifications* to the modules whose names match, those imported now and later."""
        seen: set[tuple[str, str]] = set()

        def found(module: str) -> None:
            for specification in specifications:
                if fnmatchcase(module, specification.partition(":")[0]) and (module, specification) not in seen:
                    seen.add((module, specification))
                    PATCHING.add([self._switch(specification, module, sync=sync, quiet=True)])

        for module in tuple(sys.modules):
            found(module)
        self._finder = _ImportObserver(found)
        # wrapt's finder runs the hooks of a module, so it must come after this finder; registering a hook installs it.
        wrapt.register_post_import_hook(_nothing, "otel_parallelism.never")
        sys.meta_path.insert(0, self._finder)

    def _switch(self, specification: str, module: str, *, sync: bool, quiet: bool = False) -> Switch:
        pattern = specification.partition(":")[2]

        def turn_on(loaded: Any) -> Callable[[], None]:
            places = tuple(_matching(loaded, pattern, sync=sync))
            if not places and not quiet:
                self.unmatched.append(specification)
                _logger.warning("target %r matches no %s", specification, "function" if sync else "async function")
            undo = []
            for parent, name, place in places:
                try:
                    if not _is_recorded(vars(parent)[name]):
                        undo.append(self._wrap(parent, name, place))
                except Exception as error:  # noqa: BLE001 - a class may refuse to be changed; the others are recorded
                    swallow(f"patching {place}", error)

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
    """Yield parent, name and place of each function of *module* that matches *pattern*."""
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
    if isinstance(function, type) or not callable(function):
        return False
    if exact:
        return True
    return (
        not name.startswith("_")
        and inspect.isfunction(innermost(function))
        and _is_defined_in(function, module)
        and (sync or kind_of(found) in {"coroutine", "async generator"})
    )


def _is_recorded(function: Any) -> bool:
    """Return whether *function* is recorded already, maybe below wrappers of others: its calls would count twice."""
    function = function.__func__ if isinstance(function, staticmethod | classmethod) else function
    for _ in range(_MOST_WRAPPERS):
        if issubclass(type(function), Profiled):
            return True
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            break
        function = inner
    return False


def _is_defined_in(thing: Any, module: Any) -> bool:
    return bool(getattr(thing, "__module__", None) == module.__name__)


class _ImportObserver(importlib.abc.MetaPathFinder):
    """Finds no module; calls back with the name of each module that is about to be imported."""

    def __init__(self, found: Callable[[str], None]) -> None:
        self._found = found

    def find_spec(self, fullname: str, _: object = None, __: object = None) -> None:
        """Call back with *fullname*, and find nothing."""
        self._found(fullname)


def _nothing(_: Any) -> None:
    pass


class StaleReference(msgspec.Struct, frozen=True):
    """A reference to a function that was taken before the function was wrapped: calls through it are not seen."""

    place: str
    target: str


def stale_references(wrapped: Iterable[WrappedFunction]) -> list[StaleReference]:
    """
    Return the places where modules still refer to the originals of *wrapped*, sorted.

    A place is a module attribute that is an original, or a list, tuple, set or dict that contains one.
    """
    originals = {id(one.original): one.place for one in wrapped}
    found: list[StaleReference] = []
    for module in tuple(sys.modules.values()):
        title = getattr(module, "__name__", None)
        names = getattr(module, "__dict__", None)
        if not isinstance(title, str) or not isinstance(names, dict):
            continue
        for name, value in tuple(names.items()):
            # This package keeps the originals on purpose.
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
