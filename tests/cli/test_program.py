"""A program behaves under ``run`` as under ``python``: both are run and compared."""

from __future__ import annotations

import signal
import sys
import time
import zipfile
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Completed, Shell

pytestmark = pytest.mark.process

NOTE = "text report written to report.txt\n"
WHOAMI = """
    import atexit, inspect, multiprocessing, pickle, sys, threading, time

    class Thing:
        pass

    def name_of_main(number):
        return __name__, number, Thing.__module__

    print(__name__, __file__, __package__, __spec__ and __spec__.name, type(__loader__).__name__, type(__builtins__))
    print(sys.argv, sys.path[0], __doc__, sorted(globals()))
    print(sys.modules["__main__"].__dict__ is globals())
    print(type(pickle.loads(pickle.dumps(Thing()))) is Thing)
    print(inspect.getsource(Thing), end="")

    def later():
        time.sleep(0.2)
        print("thread", type(pickle.loads(pickle.dumps(Thing()))) is Thing)

    if __name__ == "__main__":
        atexit.register(print, "at exit")
        for method in ("spawn", "fork"):
            with multiprocessing.get_context(method).Pool(1) as pool:
                print(pool.map(name_of_main, [1, 2]))
                pool.close()
                pool.join()  # terminated, a process may lose what it printed
        threading.Thread(target=later).start()
        print("end")
"""


def same(shell: Shell, *arguments: str, note: str = NOTE) -> Completed:
    """Run *arguments* both ways and return the result; output and status are the same, errors but for the *note*."""
    expected = shell.python(*arguments)
    actual = shell("run", "--output", "report.txt", *arguments)
    assert actual.stdout.decode() == expected.stdout.decode()
    assert actual.stderr.decode() == expected.stderr.decode() + note
    assert actual.returncode == expected.returncode
    assert (shell.folder / "report.txt").read_text().startswith("No turn found")
    return actual


def test_script_is_main_for_pickles_threads_and_processes(shell: Shell) -> None:
    shell.write("sub/whoami.py", WHOAMI)
    done = same(shell, "sub/whoami.py", "--format", "json", "-m", "--", "--help")
    assert done.returncode == 0
    assert b"'--format', 'json', '-m', '--', '--help'" in done.stdout
    assert done.stdout.endswith(b"end\nthread True\nat exit\n")


def test_linked_script_imports_from_its_real_folder(shell: Shell) -> None:
    shell.write("real/neighbour.py", "print('found')\n")
    script = shell.write("real/script.py", "import neighbour, sys\nprint(__file__, sys.path[0])\n")
    (shell.folder / "link.py").symlink_to(script)
    assert b"found" in same(shell, "link.py").stdout


def test_module_is_main(shell: Shell) -> None:
    shell.write("package/__init__.py", "print('package imported')\n")
    shell.write("package/inner.py", WHOAMI)
    assert same(shell, "-m", "package.inner", "-m", "argument").returncode == 0


def test_package_runs_its_main_module(shell: Shell) -> None:
    shell.write("package/__init__.py", "print('package imported')\n")
    shell.write("package/inner.py", "print('inner imported')\n")
    # Python itself cannot start processes for the functions of a package's __main__.
    shell.write("package/__main__.py", dedent(WHOAMI).partition("    for method")[0] + "from . import inner\n")
    assert b"inner imported\n" in same(shell, "-m", "package", "an argument").stdout


def test_folder_and_archive_run_their_main_module(shell: Shell) -> None:
    program = (
        "import neighbour, sys\nprint(__name__, __file__, repr(__package__), __spec__.name, sys.argv, sys.path[0])\n"
    )
    main = shell.write("app/__main__.py", program)
    neighbour = shell.write("app/neighbour.py", "print('found')\n")
    with zipfile.ZipFile(shell.folder / "app.pyz", "w") as archive:
        archive.write(main, main.name)
        archive.write(neighbour, neighbour.name)
    for name in ("app", "app.pyz"):
        assert same(shell, name, "argument").stdout.startswith(b"found\n__main__ ")
    main.write_text("def f(:\n")
    done = shell("run", "app")
    assert done.returncode == 1
    assert b"SyntaxError" in done.stderr
    assert b"otel_parallelism" not in done.stderr


def test_future_imports_do_not_apply_to_the_program(shell: Shell) -> None:
    shell.write("script.py", "def f(x: int): ...\nprint(f.__annotations__)\n")
    assert same(shell, "script.py").stdout == b"{'x': <class 'int'>}\n"


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("raise ValueError('no')", 1),
        ("def f():\n    1 / 0\ntry:\n    f()\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e", 1),
        ("import asyncio\nasync def f():\n    raise OSError(5, 'x')\nasyncio.run(f())", 1),
        ("raise ExceptionGroup('some', [ValueError(1), KeyError(2)])", 1),
        ("this is no Python", 1),
        ("import sys; sys.exit()", 0),
        ("import sys; sys.exit(0)", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('a message')", 1),
        ("import sys; sys.stderr = None; sys.exit('a message')", 1),
        ("raise SystemExit(True)", 1),
        ("import sys; sys.excepthook = lambda *a: print('hooked', a[0].__name__); raise ValueError", 1),
        ("import os, sys; sys.stdout.flush(); os.close(2); sys.exit(4)", 4),
    ],
)
def test_program_ends_as_under_python(shell: Shell, ending: str, status: int) -> None:
    shell.write("script.py", f"print('started')\n{ending}\n")
    note = "" if "sys.stderr = None" in ending or "os.close(2)" in ending else NOTE
    done = same(shell, "script.py", note=note)
    assert done.returncode == status
    assert b"otel_parallelism" not in done.stderr


def test_failing_excepthook_does_not_hide_the_error(shell: Shell) -> None:
    shell.write("script.py", "import sys\nsys.excepthook = None\nraise ValueError('the reason')\n")
    done = shell("run", "script.py")
    assert done.returncode == 1
    assert b"ValueError: the reason" in done.stderr


def test_failing_import_of_a_package_is_an_error_of_the_program(shell: Shell) -> None:
    shell.write("package/__init__.py", "import not_to_be_found\n")
    shell.write("package/inner.py", "")
    done = shell("run", "-m", "package.inner")
    assert done.returncode == 1
    assert b"ModuleNotFoundError: No module named 'not_to_be_found'" in done.stderr


def test_idle_executor_workers_do_not_delay_the_end(shell: Shell) -> None:
    shell.write(
        "script.py",
        """
        import time
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(2)
        pool.submit(print, "first")
        pool.submit(lambda: (time.sleep(0.3), print("last")))
        """,
    )
    assert same(shell, "script.py").stdout == b"first\nlast\n"


def test_forked_child_does_not_report(shell: Shell) -> None:
    shell.write(
        "script.py",
        """
        import os, sys
        if os.fork():
            os.wait()
            print("parent", flush=True)
        else:
            print("child", flush=True)
        """,
    )
    done = shell("run", "script.py")
    assert done.stdout.count(b"No turn found") == 1
    assert done.stdout.startswith(b"child\nparent\n")


@pytest.mark.parametrize(
    "code", ["print('in the package')", "import sys; sys.stdout.flush(); sys.exit(5)", "raise LookupError"]
)
def test_code_of_a_package_belongs_to_the_program(shell: Shell, code: str) -> None:
    shell.write("package/__init__.py", code)
    shell.write("package/inner.py", "print('in the module')")
    done = shell("run", "--output", "report.txt", "-m", "package.inner")
    plain = shell.python("-m", "package.inner")
    assert (done.stdout, done.returncode) == (plain.stdout, plain.returncode)
    assert b"LookupError" not in plain.stderr or done.stderr.endswith(b"LookupError\n" + NOTE.encode())


def test_module_without_spec_is_not_found(shell: Shell) -> None:
    shell.write("sitecustomize.py", "import sys, types; sys.modules['made'] = types.ModuleType('made')")
    done = shell("run", "-m", "made", PYTHONPATH=str(shell.folder))
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"no module named made\n", 2)


def test_safe_path_is_unchanged(shell: Shell) -> None:
    shell.write("script.py", "import sys; print(sys.path)")
    done = shell("run", "--output", "report.txt", "script.py", PYTHONSAFEPATH="1")
    assert done.stdout == shell.python("script.py", PYTHONSAFEPATH="1").stdout


@pytest.mark.parametrize(
    "waiting", ["pause(30)", "asyncio.run(wait())", "threading.Thread(target=pause, args=(2,)).start()"]
)
def test_interrupt_ends_the_process_as_under_python(shell: Shell, waiting: str) -> None:
    shell.write(
        "script.py",
        f"""
        import asyncio, threading, time

        async def wait():
            print("waiting", flush=True)
            await asyncio.sleep(30)

        def pause(for_s):
            print("waiting", flush=True)
            time.sleep(for_s)

        {waiting}
        """,
    )
    endings = []
    for command in ([sys.executable, "script.py"], shell.command("run", "--output", "report.txt", "script.py")):
        process = shell.start(command)
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        time.sleep(0.5)  # a thread prints before the main thread waits for it
        process.send_signal(signal.SIGINT)
        endings.append(shell.finish(process))
    expected, actual = endings
    assert actual.returncode == expected.returncode
    errors = [done.stderr.decode().removesuffix(NOTE).splitlines()[-1].rstrip(": ") for done in endings]
    assert errors == ["KeyboardInterrupt"] * 2
    assert b"otel_parallelism" not in actual.stderr
    assert (shell.folder / "report.txt").read_text().startswith("No turn found")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.py"], b"can't open file 'missing.py': No such file or directory\n"),
        (["."], b"can't find '__main__' module in '.'\n"),
        ([""], b"can't open file '': Is a directory\n"),
        (["-m", "missing"], b"no module named missing\n"),
        (["-m", "missing.inner"], b"no module named missing.inner\n"),
        (["-m", "package"], b"no module named package.__main__; 'package' is a package and cannot be run\n"),
        (["-m", "package.missing"], b"no module named package.missing\n"),
        (["-m", ".package"], b".package: relative module names are not supported\n"),
        (["-m", "sys"], b"no code to run in module sys\n"),
    ],
)
def test_missing_program_is_an_error_of_one_line(shell: Shell, arguments: list[str], message: bytes) -> None:
    shell.write("package/__init__.py", "")
    done = shell("run", *arguments)
    assert (done.stdout, done.stderr, done.returncode) == (b"", message, 2)
