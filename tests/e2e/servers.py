"""Runs real servers for tests on free ports of 127.0.0.1, waits until each answers, and stops its process."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT_S: Final = 90
PAUSE_S: Final = 0.05


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def program(*names: str) -> str | None:
    """Return the first of *names* that is on the path or beside this Python."""
    beside = str(Path(sys.executable).parent)
    return next((found for name in names if (found := shutil.which(name) or shutil.which(name, path=beside))), None)


def environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without variables of OpenTelemetry and proxies, and with *variables*."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("OTEL_") and not name.lower().endswith("_proxy")
    }
    return {**kept, **variables}


def until(
    what: str,
    answer: Callable[[], Any],
    process: subprocess.Popen[bytes] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """Ask until there is an answer that counts, and return it."""
    deadline = time.monotonic() + timeout_s
    while not (found := answer()):
        assert process is None or process.poll() is None, f"ended before {what}"
        assert time.monotonic() < deadline, f"no end of waiting for {what}"
        time.sleep(PAUSE_S)
    return found


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def responds(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - a server of the tests'
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def get_json(url: str, **parameters: str) -> Any:
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    try:
        with urllib.request.urlopen(f"{url}{query}", timeout=30) as response:  # noqa: S310 - a server of the tests'
            return json.load(response)
    except urllib.error.HTTPError as error:
        message = f"{error.code} from {url}{query}: {error.read().decode(errors='replace')}"
        raise AssertionError(message) from None


@contextlib.contextmanager
def running(
    command: list[str],
    ready: Callable[[], bool],
    *,
    folder: Path,
    variables: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server while the context is open. Its output is kept, and shown if it does not start."""
    log = folder / f"{Path(command[0]).name}.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - servers that the tests name
            command,
            cwd=folder,
            env=environment(**(variables or {})),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            until(f"{command[0]} to be ready", ready, process, timeout_s)
            yield process
        except BaseException as error:
            error.add_note(f"{log.name}: {log.read_text(errors='replace')[-4000:]}")
            raise
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
    """Terminate *process*, and kill it if it does not exit."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
