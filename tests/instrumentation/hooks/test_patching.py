from __future__ import annotations

import copy
import importlib
import inspect
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.instrumentation.hooks.patching import Framework, Patch, Patching, Switch
from otel_parallelism.tracing.shield import internal_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_parallelism.instrumentation.hooks.lifetimes import Wrapper
    from otel_parallelism.tracing.spans.kinds import Kind

LIBRARY = """
class Tool:
    def run(self, value):
        "Run it."
        return value
    @staticmethod
    async def fixed(value):
        return value
    @classmethod
    def made(cls, value):
        return cls, value

class Special(Tool):
    pass

def plain(value):
    return value
"""
NAMES = ("Tool.run", "Tool.fixed", "Tool.made", "plain")


def louder(kind: Kind) -> Wrapper:
    def call(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        seen.append(kind)
        return wrapped(*args, **kwargs)

    return call


seen: list[Kind] = []


@pytest.fixture
def library(write: Callable[[str, str], None]) -> str:
    seen.clear()
    write("some_library", LIBRARY)
    return "some_library"


def framework(*names: str, optional: bool = False) -> Framework:
    patches = tuple(Patch(f"some_library:{name}", louder, optional=optional) for name in names)
    return Framework("some_library", "some-library", ">=1", patches)


@pytest.mark.parametrize("imported", [True, False], ids=["imported before", "imported after"])
def test_module_is_patched_before_or_after_its_import(library: str, imported: bool) -> None:
    patching = Patching()
    if imported:
        importlib.import_module(library)
    patching.start([framework(*NAMES)])
    assert set(patching.states.values()) == ({"patched"} if imported else {"waiting"})

    module = importlib.import_module(library)

    assert set(patching.states.values()) == {"patched"}
    tool = module.Tool()
    assert (tool.run(1), module.Tool.made(2), module.plain(3)) == (1, (module.Tool, 2), 3)
    assert inspect.iscoroutinefunction(module.Tool.fixed)
    assert inspect.signature(module.Tool.run).parameters.keys() == {"self", "value"}
    assert module.Tool.run.__doc__ == "Run it."
    assert seen == ["function"] * 3
    patching.stop()


def test_stop_restores_the_original_objects(library: str) -> None:
    module = importlib.import_module(library)
    before = {**vars(module.Tool), "plain": module.plain}
    patching = Patching()
    patching.start([framework(*NAMES)])
    patching.start([framework(*NAMES)])
    assert vars(module.Tool)["run"] is not before["run"]

    patching.stop()

    assert {**vars(module.Tool), "plain": module.plain} == before
    assert all(vars(module.Tool)[name] is before[name] for name in ("run", "fixed", "made"))
    module.Tool().run(1)
    assert seen == []


def test_inherited_method_is_patched_in_the_subclass_only(library: str) -> None:
    module = importlib.import_module(library)
    patching = Patching()
    patching.start([framework("Special.run")])
    assert (module.Special().run(1), module.Tool().run(2)) == (1, 2)
    assert seen == ["function"]

    patching.stop()

    assert "run" not in vars(module.Special)


def test_wrapper_of_other_code_survives_stop(library: str) -> None:
    module = importlib.import_module(library)
    patching = Patching()
    patching.start([framework("plain")])
    ours = module.plain

    def theirs(value: int) -> int:
        result: int = ours(value)
        return result + 1

    module.plain = theirs
    patching.stop()
    assert module.plain is theirs
    assert module.plain(1) == 2
    assert seen == []


def test_second_start_patches_again(library: str) -> None:
    patching = Patching()
    patching.start([framework("plain")])
    patching.stop()
    patching.start([framework("plain")])
    module = importlib.import_module(library)
    assert (module.plain(1), seen) == (1, ["function"])
    patching.stop()


def test_missing_target_logs_one_line(library: str, caplog: pytest.LogCaptureFixture) -> None:
    importlib.import_module(library)
    patching = Patching()
    with caplog.at_level(logging.WARNING):
        patching.start([framework("Tool.gone", "gone"), framework("Tool.never", optional=True), framework("plain")])
    assert [entry.getMessage() for entry in caplog.records] == [
        "some_library:Tool.gone does not exist: its work is not recorded",
        "some_library:gone does not exist: its work is not recorded",
    ]
    assert patching.states["some_library:Tool.never"] == "missing"
    assert patching.states["some_library:plain"] == "patched"
    patching.stop()


def test_first_existing_name_is_patched(library: str) -> None:
    module = importlib.import_module(library)
    patching = Patching()
    patching.start([framework("Tool.gone|Tool.run|plain")])
    module.plain(1)
    assert seen == []
    module.Tool().run(1)
    assert seen == ["function"]
    patching.stop()


def test_failing_patch_does_not_break_the_import(library: str, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Kind) -> Wrapper:
        raise RuntimeError

    def fails(_: Any) -> None:
        raise LookupError

    patching = Patching()
    target = Patch("some_library:plain", broken)
    switch = Switch("some_library", fails, "its own spans")
    patching.start([Framework("some_library", "some-library", ">=1", (target,), (switch,))])
    module = importlib.import_module(library)
    assert module.plain(1) == 1
    assert patching.states == {"some_library:plain": "failed", "its own spans": "failed"}
    assert {
        "patching some_library:plain: RuntimeError",
        "patching its own spans: LookupError",
    } <= internal_errors().keys()
    assert "internal error while patching" in caplog.text
    patching.stop()


def test_stop_undoes_switches(library: str) -> None:
    state: list[str] = []

    def turn_on(module: Any) -> Callable[[], None]:
        state.append(module.__name__)
        return state.clear

    patching = Patching()
    patching.start([Framework("some_library", "x", ">=1", (), (Switch("some_library", turn_on, "spans"),))])
    importlib.import_module(library)
    assert (state, patching.states) == (["some_library"], {"spans": "switched on"})
    patching.stop()
    assert state == []


def test_patched_functions_and_methods_can_be_copied(library: str) -> None:
    module = importlib.import_module(library)
    patching = Patching()
    patching.start([framework(*NAMES)])
    assert copy.deepcopy(module.plain) is module.plain
    assert copy.deepcopy(module.Tool().run)(4) == 4
    patching.stop()


def test_add_method_patches_once_in_the_defining_class(library: str) -> None:
    module = importlib.import_module(library)
    original = vars(module.Tool)["run"]
    patching = Patching()
    patching.add_method(module.Special, "run", louder)
    assert vars(module.Tool)["run"] is original
    patching.start([])
    for _ in range(2):
        patching.add_method(module.Special, "run", louder)
        patching.add_method(module.Tool, "run", louder)
        patching.add_method(module.Tool, "nothing", louder)
    assert "run" not in vars(module.Special)
    assert module.Special().run(1) == 1
    assert seen == ["function"]
    assert patching.states == {f"{library}:Tool.run": "patched"}

    patching.stop()

    assert vars(module.Tool)["run"] is original


def test_add_method_skips_a_patched_method(library: str) -> None:
    module = importlib.import_module(library)
    patching = Patching()
    patching.start([framework("Tool.run")])
    patching.add_method(module.Special, "run", louder)
    assert module.Special().run(1) == 1
    assert seen == ["function"]
    patching.stop()


def test_add_method_leaves_an_immutable_class_alone(caplog: pytest.LogCaptureFixture) -> None:
    patching = Patching()
    patching.start([])
    patching.add_method(dict, "items", louder)
    patching.add_method(dict, "items", louder)
    assert patching.states == {"builtins:dict.items": "failed"}
    assert internal_errors()
    patching.stop()


def test_start_imports_no_module(library: str) -> None:
    patching = Patching()
    patching.start([framework("plain")])
    assert library not in sys.modules
    patching.stop()
