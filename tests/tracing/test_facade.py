from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

import otel_parallelism
from otel_parallelism import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAVY = ("click", "rich", "grpc", "requests", "opentelemetry.exporter", "opentelemetry.distro", "google.protobuf")
FRAMEWORKS = ("anthropic", "openai", "agents", "langchain_core", "langgraph", "pydantic_ai", "mcp", "strands", "agno")


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.process
def test_import_loads_no_sdk_no_event_loop_and_no_analysis() -> None:
    loaded = python("import sys, otel_parallelism; print(*sys.modules)").split()
    unwanted = ("opentelemetry", "asyncio", "wrapt", "otel_parallelism.tracing", "otel_parallelism.analysis")
    assert "otel_parallelism.model" in loaded
    assert [name for name in loaded if name.startswith(unwanted)] == []


@pytest.mark.process
def test_recording_calls_loads_no_framework_no_command_line_and_no_exporter() -> None:
    recording = "from otel_parallelism import agent_turn, analyze_spans, install, profiled"
    loaded = python(f"import sys; {recording}; print(*sys.modules)").split()
    assert "otel_parallelism.tracing.spans.decorator" in loaded
    assert [name for name in loaded if name.startswith((*HEAVY, *FRAMEWORKS))] == []


@pytest.mark.process
def test_import_leaves_the_global_provider_unset() -> None:
    code = "from otel_parallelism import *; import opentelemetry.trace as t; print(t._TRACER_PROVIDER)"
    assert python(code).split() == ["None"]


def test_public_names_are_sorted_and_exist() -> None:
    assert list(otel_parallelism.__all__) == sorted(otel_parallelism.__all__)
    for name in otel_parallelism.__all__:
        assert getattr(otel_parallelism, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        _ = otel_parallelism.absent


def test_names_that_are_loaded_at_their_first_use_are_those_of_the_imports_for_type_checkers() -> None:
    body = ast.parse(Path(otel_parallelism.__file__).read_text(encoding="utf-8")).body
    [block] = [node for node in body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) > 5
    for node in imports:
        module = import_module(f"otel_parallelism.{node.module}")
        for name in (alias.name for alias in node.names):
            assert getattr(otel_parallelism, name) is getattr(module, name)


def test_version_is_that_of_the_metadata() -> None:
    assert otel_parallelism.__version__ == version("otel-parallelism")


def test_every_exception_of_the_package_is_public_and_has_one_base() -> None:
    exceptions = {name: value for name, value in vars(errors).items() if isinstance(value, type)}
    assert exceptions.keys() <= set(otel_parallelism.__all__)
    assert all(issubclass(error, otel_parallelism.ParallelismError) for error in exceptions.values())


def test_types_in_public_signatures_are_public_and_no_others() -> None:
    public = {name: getattr(otel_parallelism, name) for name in otel_parallelism.__all__}
    named = {
        name
        for value in public.values()
        for module, text in annotations(value)
        for name in WORD.findall(text)
        if is_own_class(defined(module, name))
    }
    assert named - INTERNAL <= public.keys()
    types = {name for name, value in public.items() if is_own_class(value) and not issubclass(value, Exception)}
    assert types == named - INTERNAL | CONSTRUCTED | IN_ALIASES


WORD = re.compile(r"[A-Za-z_]\w*")
# The default of a parameter that only tests give.
INTERNAL = {"Registry"}
# Classes that programs construct, or that a decorator returns.
CONSTRUCTED = {"AgentTurn", "Rate", "Retry", "TaskGraph"}
# Members of the unions Observation and Content.
IN_ALIASES = {"Passage", "TurnSpan"}


@cache
def in_modules() -> dict[str, list[object]]:
    """Return what the loaded modules of the package define under each name."""
    found: dict[str, list[object]] = defaultdict(list)
    for key, module in list(sys.modules.items()):
        if key.startswith("otel_parallelism."):
            for name, value in vars(module).items():
                found[name].append(value)
    return found


def defined(module: str, name: str) -> object:
    """Return the object *name* of *module*; for a name that only type checkers import, the package's class."""
    if hasattr(sys.modules[module], name):
        return getattr(sys.modules[module], name)
    found = in_modules().get(name, [])
    # An alias of that name wins over a class of another module, which may or may not be loaded.
    return next((value for value in found if not is_own_class(value)), found[0] if found else None)


def is_own_class(value: object) -> TypeGuard[type]:
    return isinstance(value, type) and value.__module__.startswith("otel_parallelism.")


def annotations(value: Any) -> Iterator[tuple[str, str]]:
    """Yield each annotation of a function, or of a class's public fields and methods, after the name of its module."""
    if not is_own_class(value):
        yield from ((value.__module__, str(text)) for text in getattr(value, "__annotations__", {}).values())
        return
    for base in value.__mro__:
        if not is_own_class(base):
            continue
        fields = vars(base).get("__annotations__", {})
        found = [text for name, text in fields.items() if not name.startswith("_")]
        for name, member in vars(base).items():
            if not name.startswith("_") or name == "__call__":
                function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                found += getattr(function, "__annotations__", {}).values()
        yield from ((base.__module__, str(text)) for text in found)
