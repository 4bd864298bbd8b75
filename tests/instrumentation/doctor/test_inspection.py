from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from otel_parallelism.instrumentation import instrumentor
from otel_parallelism.instrumentation.doctor import inspection
from otel_parallelism.instrumentation.hooks.call_wrappers import CallFacts, tool_call_wrapper
from otel_parallelism.instrumentation.hooks.patching import Framework, Patch
from otel_parallelism.instrumentation.instrumentor import ParallelismInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_parallelism.instrumentation.doctor.examination import Examination, FrameworkState

pytestmark = pytest.mark.slow
WRAPPER = tool_call_wrapper(lambda *_: CallFacts("run"))


def framework(*names: str, module: str = "my_framework", optional: bool = False, **fields: Any) -> Framework:
    patches = tuple(Patch(f"{module}:{name}", WRAPPER, optional=optional) for name in names)
    return Framework(**{"name": module, "distribution": "pytest", "versions": ">=1", "patches": patches, **fields})


@pytest.fixture
def examined(
    write: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Examination, FrameworkState]]]:
    """Return a function that inspects a process whose catalogue has one framework."""
    write("my_framework", "def run():\n    return 1\n")
    write("broken_framework", "raise OSError('no library')\n")

    def examine(
        one: Framework, *, instrumented: bool = False, imported: bool = False
    ) -> tuple[Examination, FrameworkState]:
        monkeypatch.setattr(inspection, "FRAMEWORKS", (one,))
        monkeypatch.setattr(instrumentor, "FRAMEWORKS", (one,))
        if instrumented:
            ParallelismInstrumentor().instrument()
        if imported:
            importlib.import_module("my_framework")
        found = inspection.examine(inspection.prepare((one,)))
        (state,) = found.frameworks
        return found, state

    yield examine
    ParallelismInstrumentor().uninstrument()


def test_framework_that_the_program_imports_is_patched_by_the_program(examined: Any) -> None:
    found, state = examined(framework("run"), instrumented=True, imported=True)
    assert (found.instrumented_by, state.presence, state.patched_by) == ("program", "patched", "program")


def test_framework_that_only_the_doctor_imports_is_patched_by_the_doctor(examined: Any) -> None:
    found, state = examined(framework("run"), instrumented=True)
    assert (found.instrumented_by, state.presence, state.patched_by) == ("program", "patched", "doctor")


def test_patches_of_an_uninstrumented_program_are_the_doctors(examined: Any) -> None:
    found, state = examined(framework("run"), imported=True)
    assert (found.instrumented_by, state.presence, state.patched_by) == ("doctor", "patched", "doctor")


def test_missing_function_is_a_problem(examined: Any) -> None:
    found, state = examined(framework("run", "gone", versions="<1"))
    assert (state.presence, state.tested) == ("partly patched", False)
    assert f"my_framework {state.version}: my_framework:gone cannot be patched; this version was not tested." in (
        found.problems
    )


def test_missing_optional_function_is_not_a_problem(examined: Any) -> None:
    found, state = examined(framework("gone", optional=True, native=("calls",)))
    assert (state.presence, state.targets) == ("native", {"my_framework:gone": "missing"})
    assert not any("my_framework" in problem for problem in found.problems)


def test_module_that_does_not_exist_is_not_patched(examined: Any) -> None:
    found, state = examined(framework("run", module="absent_framework"))
    assert state.presence == "not patched"
    assert f"absent_framework {state.version} is not patched: its modules are not imported." in found.problems


def test_framework_that_cannot_be_imported_is_a_problem(examined: Any) -> None:
    found, state = examined(framework("run", module="broken_framework"))
    assert state.presence == "cannot be imported"
    assert f"broken_framework {state.version} cannot be imported here." in found.problems


def test_disabled_framework_is_not_a_problem(examined: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_PARALLELISM_DISABLED_FRAMEWORKS", "my_*")
    found, state = examined(framework("run"))
    assert (state.presence, found.settings) == ("disabled", {"disabled_frameworks": ("my_*",)})
    assert not any("my_framework" in problem for problem in found.problems)


def test_other_instrumentation_is_listed(examined: Any) -> None:
    _, state = examined(framework("run", others=("opentelemetry-distro", "not-installed")))
    (other,) = state.others
    assert (other.distribution, other.active) == ("opentelemetry-distro", False)
