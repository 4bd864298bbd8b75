"""
Patches of frameworks: put in when a framework is imported, before or after, and taken out down to identity.

A target that is missing costs one log line; the rest still works. A patch that somebody else has wrapped meanwhile
stays where it is and does nothing.
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
from otel_parallelism.tracing.spans.kinds import Profiled, kind_of

from .lifetimes import WrapperFactory

if TYPE_CHECKING:
    from collections.abc import Iterable

_logger = logging.getLogger(INSTRUMENTATION)
_MOST_METHODS = 500
"""Methods patched because they were met: a program may make classes without end."""

State: TypeAlias = Literal["waiting", "patched", "missing", "switched on", "failed"]
"""What became of a target: its module is not imported yet, it is patched, it is not there …"""


class Patch(msgspec.Struct, frozen=True):
    """
    One function to wrap.

    ``target`` is ``module:qualified.name``, with other names after a ``|`` that are tried where that is not there;
    ``around`` makes the wrapper for the kind of function that is found. An ``optional`` one may be missing without a
    word: some versions of the framework have it.
    """

    target: str
    around: WrapperFactory
    optional: bool = False

    @property
    def module(self) -> str:
        """The module that holds it."""
        return self.target.partition(":")[0]

    @property
    def paths(self) -> list[str]:
        """Its names inside the module, the first of which that is there counts."""
        return self.target.partition(":")[2].split("|")


class Switch(msgspec.Struct, frozen=True):
    """Something to do once *module* is imported, such as switching on spans of its own; returns what undoes it."""

    module: str
    turn_on: Callable[[Any], Callable[[], None] | None]
    title: str


class Framework(msgspec.Struct, frozen=True):
    """
    How one framework is instrumented.

    ``name`` is what it is imported as, ``distribution`` what it is installed as, ``versions`` those that were tested
    (a version specifier). ``native`` says which of ``turns``, ``calls`` and ``steps`` it makes spans for by itself,
    given a provider. ``others`` are distributions of other instrumentations that are known to go along. ``lacks`` says
    what its numbers cannot show, and what would help; empty where nothing is missing.
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
    """The patches of this process; ``states`` tells for every target what became of it."""

    def __init__(self) -> None:
        self.active: bool = False
        self.states: dict[str, State] = {}
        self._lock = threading.RLock()
        self._wanted: dict[str, list[Patch | Switch]] = {}
        self._undo: list[Callable[[], None]] = []
        self._hooked: set[str] = set()
        self._methods: set[tuple[Any, str]] = set()

    def start(self, frameworks: Iterable[Framework]) -> None:
        """Patch what is imported of *frameworks*, and the rest when it is; a second start changes nothing."""
        with self._lock:
            if self.active:
                return
            self.active = True
            self.states.clear()
            for framework in frameworks:
                self.add((*framework.switches, *framework.patches))

    def add(self, wanted: Iterable[Patch | Switch]) -> None:
        """Patch or switch on each of *wanted*, now or when its module is imported."""
        with self._lock:
            modules: dict[str, list[Patch | Switch]] = {}
            for each in wanted:
                self.states[_title(each)] = "waiting"
                modules.setdefault(each.module, []).append(each)
            for module, its in modules.items():
                self._wanted.setdefault(module, []).extend(its)
                if module in sys.modules:
                    self._apply(sys.modules[module], its)
                elif module not in self._hooked:
                    # A hook cannot be taken out again, so there is one for each module, which asks what is wanted.
                    self._hooked.add(module)
                    wrapt.register_post_import_hook(self._imported, module)

    def add_method(self, of: type, name: str, around: WrapperFactory) -> None:
        """
        Patch the method *name* that the class *of* has or inherits, once: for methods that every subclass overrides.

        Args:
            of: A class of the framework's or of the program's own, met while it is in use.
            name: The method's name; nothing happens where there is none.
            around: Makes the wrapper.
        """
        base = next((base for base in of.__mro__ if name in vars(base)), None)
        with self._lock:
            if base is None or not self.active or (base, name) in self._methods or len(self._methods) >= _MOST_METHODS:
                return
            title = f"{base.__module__}:{base.__qualname__}.{name}"
            try:
                self.states[title] = self._wrap(base, name, vars(base)[name], around)
            except Exception as error:  # noqa: BLE001 - some classes take no attributes
                self._methods.add((base, name))
                self.states[title] = "failed"
                swallow(f"patching {title}", error)

    def stop(self) -> None:
        """Take everything out again, the last first."""
        with self._lock:
            self.active = False
            self._wanted.clear()
            self._methods.clear()
            while self._undo:
                try:
                    self._undo.pop()()
                except Exception as error:  # noqa: BLE001 - the rest is to be undone all the same
                    swallow("taking out a patch", error)
            self.states.clear()

    def _imported(self, module: Any) -> None:
        with self._lock:
            # wrapt forgets a hook that it has called.
            self._hooked.discard(module.__name__)
            self._apply(module, [one for one in self._wanted.get(module.__name__, ()) if self._is_waiting(one)])

    def _is_waiting(self, one: Patch | Switch) -> bool:
        return self.states.get(_title(one)) == "waiting"

    def _apply(self, module: Any, wanted: list[Patch | Switch]) -> None:
        for one in wanted:
            try:
                self.states[_title(one)] = (
                    self._patch(module, one) if isinstance(one, Patch) else self._switch(module, one)
                )
            except Exception as error:  # noqa: BLE001 - an import of the program's goes on
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
                _logger.warning("%s is not there: what it does goes unseen", patch.target)
            return "missing"
        return self._wrap(*found, patch.around)

    def _wrap(self, parent: Any, attribute: str, original: Any, around: WrapperFactory) -> State:
        own = attribute in vars(parent)
        wrapper = Profiled(original, around(kind_of(original)), enabled=self._is_active)
        setattr(parent, attribute, wrapper)
        self._methods.add((parent, attribute))

        def undo() -> None:
            # Somebody who wrapped it after us would lose their wrapper with ours.
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
    """Return the parent, the name and the object of the first of *paths* that leads to one."""
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
