"""
Importing the package opens no file but Python's own, no socket, no process and no thread.

The modules that read from services are left out, because urllib3 binds a socket at its import to see whether there is
IPv6. They are imported where an input names a service, and by no other module at its import.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "otel_parallelism"
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path.name != "__main__.py"  # it is the command
    if path.parent.name != "services"
)
WATCHED = """
import importlib, json, sys, threading

PYTHON_S_OWN = (
    ".py", ".pyc", ".so", ".pyd", ".pth", ".zip", "METADATA", "PKG-INFO", "entry_points.txt", "top_level.txt", "RECORD",
)
REFUSED = (
    "socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.system",
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.putenv",
    "shutil.", "tempfile.", "urllib.", "http.client.", "sqlite3.", "webbrowser.",
)
seen = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = flags & 0b11 or set(mode or "") & set("wax+")
        if not isinstance(path, int) and (writes or not str(path).endswith(PYTHON_S_OWN)):
            seen.append(event)
    elif event.startswith(REFUSED):
        seen.append(event)

sys.path.insert(0, "")
modules = json.loads(sys.argv[1])
sys.addaudithook(watch)
for module in modules:
    importlib.import_module(module)
seen += ["thread"] * (threading.active_count() - 1)
print(json.dumps(seen))
"""
"""A program that imports the modules that its argument lists, and prints what they opened or started."""

pytestmark = pytest.mark.process


def seen(modules: list[str], folder: Path) -> list[str]:
    """Return what importing *modules* opened or started, in a process whose current folder is *folder*."""
    command = [sys.executable, "-B", "-c", WATCHED, json.dumps(modules)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.stderr == ""
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("modules", [["otel_parallelism"], MODULES], ids=["package", "all modules"])
def test_importing_opens_and_starts_nothing(modules: list[str], tmp_path: Path) -> None:
    assert seen(modules, tmp_path) == []


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("open('pyproject.toml')", "open"),
        ("open('new.py', 'w')", "open"),
        ("import socket; socket.getaddrinfo('127.0.0.1', 1)", "socket.getaddrinfo"),
        ("import socket; socket.socket().close()", "socket.__new__"),
        ("import subprocess, sys; subprocess.run([sys.executable, '-c', ''])", "subprocess.Popen"),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "thread"),
    ],
)
def test_what_an_import_opens_or_starts_is_seen(source: str, event: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "module_that_acts.py").write_text(source)
    assert event in seen(["module_that_acts"], tmp_path)
