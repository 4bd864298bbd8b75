"""
Patches functions of frameworks that are imported or will be, and restores the original functions.

A missing target costs one log line; the other patches still work. A patch that other code has wrapped meanwhile stays
in place and does nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
import wrapt

from otel_parallelism.names import INSTRUMENTATION
from otel_parallelism.tracing.shield import swallow
from otel_parallelism.tracing.spans.kinds import kind_of, wrapped_as

from .lifetimes import WrapperFactory

if TYPE_CHECKING:
    from collections.abc import Iterable

_logger = logging.getLogger(INSTRUMENTATION)
_MOST_METHODS = 500
"""The limit of methods patched by `Patching.add_method`: a program may create any number of classes."""

State: TypeAlias = Literal["waiting", "patched", "missing", "switched on", "failed"]
"""The state of a target. ``waiting``: its module is not imported yet. ``missing``: its module does not define it."""


class Patch(msgspec.Struct, frozen=True):
    """
    One function to wrap.

    Attributes:
        target: ``module:qualified.name``; further names after a ``|`` are tried in turn where the first is missing.
        wrapper_factory: Makes the wrapper for the kind of function that is found.
        optional: Whether the target may be missing without a warning, because only some versions have it.
    """

    target: str
    wrapper_factory: WrapperFactory
    optional: bool = False

    @property
    def module(self) -> str:
        """The module that defines the function."""
        return self.target.partition(":")[0]

    @property
    def paths(self) -> list[str]:
        """The names to try inside the module; the first that exists is patched."""
        return self.target.partition(":")[2].split("|")


class Switch(msgspec.Struct, frozen=True):
    """An action for when *module* is imported. ``turn_on`` takes the module and returns what undoes the action."""

    module: str
    turn_on: Callable[[Any], Callable[[], None] | None]
    title: str


class Framework(msgspec.Struct, frozen=True):
    """
    How one framework is instrumented.

    Attributes:
        name: Its import name.
        distribution: The name of its distribution.
        versions: The versions that were tested, as a version specifier.
        patches: The functions to wrap.
        switches: The actions to take when its modules are imported.
        native: Which of ``turns``, ``calls`` and ``steps`` it makes spans for by itself, given a provider.
        others: Distributions of other instrumentations that work beside this one.
        lacks: What the results cannot show, and what helps, in sentences; empty where nothing is missing.
    """

    name: str
    distribution: str
    versions: str
    patches: tuple[Patch, ...] = ()
    switches: tuple[Switch, ...] = ()
    native: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    lacks: str = ""


class Patching:
    """The patches of this process. ``states`` holds the state of every target."""

    def __init__(self) -> None:
        self.active: bool = False
        self.states: dict[str, State] = {}
        self._lock = threading.RLock()
        self._wanted: dict[str, list[Patch | Switch]] = {}
        self._undo: list[Callable[[], None]] = []
        self._hooked: set[str] = set()
        self._methods: set[tuple[Any, str]] = set()

    def start(self, frameworks: Iterable[Framework]) -> None:
        """Patch the modules of *frameworks*, each now or when it is imported; a second start changes nothing."""
        with self._lock:
            if self.active:
                return
            self.active = True
            self.states.clear()
            self._add_all(frameworks)

    def _add_all(self, frameworks: Iterable[Framework]) -> None:
        for framework in frameworks:
            self._add((*framework.switches, *framework.patches))

    def add(self, wanted: Iterable[Patch | Switch]) -> None:
        """Apply each of *wanted*, now or when its module is imported."""
        with self._lock:
            self._add(wanted)

    def _add(self, wanted: Iterable[Patch | Switch]) -> None:
        modules: dict[str, list[Patch | Switch]] = {}
        for each in wanted:
            self.states[_title(each)] = "waiting"
            modules.setdefault(each.module, []).append(each)
        for module, its in modules.items():
            self._wanted.setdefault(module, []).extend(its)
            if module in sys.modules:
                self._apply(sys.modules[module], its)
            elif module not in self._hooked:
                # A hook cannot be removed, so each module gets one, which looks up what is wanted when it runs.
                self._hooked.add(module)
                wrapt.register_post_import_hook(self._imported, module)

    def add_method(self, of: type, name: str, wrapper_factory: WrapperFactory) -> None:
        """
        Patch a method that every subclass overrides, when an instance of the class is first used.

        The method is patched once, in the class that defines it.

        Args:
            of: A class of the framework or of the program, which has or inherits the method.
            name: The method's name; nothing happens if there is no such method.
            wrapper_factory: Makes the wrapper.
        """
        base = next((base for base in of.__mro__ if name in vars(base)), None)
        with self._lock:
            if base is None or not self.active or (base, name) in self._methods or len(self._methods) >= _MOST_METHODS:
                return
            title = f"{base.__module__}:{base.__qualname__}.{name}"
            try:
                self.states[title] = self._wrap(base, name, vars(base)[name], wrapper_factory)
            except Exception as error:  # noqa: BLE001 - some classes allow no new attributes
                self._methods.add((base, name))
                self.states[title] = "failed"
                swallow(f"patching {title}", error)

    def stop(self) -> None:
        """Undo all patches, the last one first."""
        with self._lock:
            self.active = False
            self._wanted.clear()
            self._methods.clear()
            self._undo_all()
            self.states.clear()

    def _undo_all(self) -> None:
        while self._undo:
            try:
                self._undo.pop()()
            except Exception as error:  # noqa: BLE001 - the other patches are still undone
                swallow("removing a patch", error)

    def _imported(self, module: Any) -> None:
        with self._lock:
            # wrapt drops a hook after it has called it.
            self._hooked.discard(module.__name__)
            self._apply(module, list(filter(self._is_waiting, self._wanted.get(module.__name__, ()))))

    def _is_waiting(self, one: Patch | Switch) -> bool:
        return self.states.get(_title(one)) == "waiting"

    def _apply(self, module: Any, wanted: list[Patch | Switch]) -> None:
        for one in wanted:
            try:
                self.states[_title(one)] = (
                    self._patch(module, one) if isinstance(one, Patch) else self._switch(module, one)
                )
            except Exception as error:  # noqa: BLE001 - the program's import goes on
                self.states[_title(one)] = "failed"
                swallow(f"patching {_title(one)}", error)

    def _switch(self, module: Any, switch: Switch) -> State:
        undo = switch.turn_on(module)
        if undo is not None:
            self._undo.append(undo)
        return "switched on"

    def _patch(self, module: Any, patch: Patch) -> State:
        found = _found(module, patch.paths)
        if found is None:
            if not patch.optional:
                _logger.warning("%s does not exist: its work is not recorded", patch.target)
            return "missing"
        return self._wrap(*found, patch.wrapper_factory)

    def _wrap(self, parent: Any, attribute: str, original: Any, wrapper_factory: WrapperFactory) -> State:
        own = attribute in vars(parent)
        wrapper = wrapped_as(original, wrapper_factory(kind_of(original)), enabled=self._is_active)
        setattr(parent, attribute, wrapper)
        self._methods.add((parent, attribute))

        def undo() -> None:
            # If other code has wrapped it since, restoring the original would remove that wrapper too.
            if vars(parent).get(attribute) is not wrapper:
                return
            if own:
                setattr(parent, attribute, original)
            else:
                delattr(parent, attribute)

        self._undo.append(undo)
        return "patched"

    def _is_active(self) -> bool:
        return self.active


def _found(module: Any, paths: list[str]) -> tuple[Any, str, Any] | None:
    """Return parent, name and object for the first of *paths* that exists; None if none does."""
    for path in paths:
        try:
            found: tuple[Any, str, Any] = wrapt.resolve_path(module, path)
        except AttributeError:
            continue
        return found
    return None


def _title(one: Patch | Switch) -> str:
    return one.target if isinstance(one, Patch) else one.title


PATCHING = Patching()
"""The patches of this process."""
