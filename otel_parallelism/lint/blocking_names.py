"""Functions of the standard library and of well-known packages that block the thread, and what to use instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_THREAD: Final = "run it with asyncio.to_thread"
_HTTP: Final = "await an async client such as httpx.AsyncClient, or run it with asyncio.to_thread"
_PROCESS: Final = "await asyncio.create_subprocess_exec, or run it with asyncio.to_thread"
_DATABASE: Final = "await an async driver, or run it with asyncio.to_thread"
_METHODS: Final = ("get", "post", "put", "patch", "delete", "head", "options", "request")


def _table() -> dict[str, str]:
    found = {"time.sleep": "await asyncio.sleep", "input": _THREAD, "os.system": _PROCESS, "os.wait": _PROCESS}
    found |= {"os.waitpid": _PROCESS, "select.select": _THREAD, "signal.pause": _THREAD}
    found |= {f"requests.{name}": _HTTP for name in _METHODS}
    found |= {f"httpx.{name}": _HTTP for name in (*_METHODS, "stream")}
    found |= {f"urllib.request.{name}": _HTTP for name in ("urlopen", "urlretrieve")}
    found |= {"urllib3.request": _HTTP, "feedparser.parse": _THREAD}
    found |= {
        f"subprocess.{name}": _PROCESS
        for name in ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")
    }
    found |= {
        f"socket.{name}": "await the loop's methods, such as loop.getaddrinfo, or asyncio.open_connection"
        for name in ("create_connection", "getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")
    }
    found |= {
        f"{name}.connect": _DATABASE
        for name in ("psycopg2", "psycopg", "pymysql", "MySQLdb", "mysql.connector", "pyodbc", "oracledb", "pymssql")
    }
    found |= {"sqlite3.connect": "await aiosqlite.connect, or run it with asyncio.to_thread"}
    found |= {f"concurrent.futures.{name}": _THREAD for name in ("wait",)}
    found |= {f"smtplib.{name}": _THREAD for name in ("SMTP", "SMTP_SSL")}
    return found


BLOCKING_FUNCTIONS: Final[Mapping[str, str]] = _table()
"""What to do instead of calling each function, by its full name."""

BLOCKING_METHODS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "requests.Session": (frozenset(_METHODS), _HTTP),
    "requests.session": (frozenset(_METHODS), _HTTP),
    "httpx.Client": (frozenset({*_METHODS, "send", "stream"}), _HTTP),
    "urllib3.PoolManager": (frozenset({"request", "urlopen"}), _HTTP),
    "socket.socket": (
        frozenset({"connect", "accept", "recv", "recvfrom", "sendall"}),
        "await the loop's methods, such as loop.sock_recv, or asyncio.open_connection",
    ),
    "socket.create_connection": (frozenset({"recv", "sendall"}), "await asyncio.open_connection"),
    "sqlite3.connect": (
        frozenset({"execute", "executemany", "executescript", "commit", "rollback", "backup"}),
        "await aiosqlite, or run it with asyncio.to_thread",
    ),
    "psycopg2.connect": (frozenset({"commit", "rollback"}), _DATABASE),
    "pymysql.connect": (frozenset({"commit", "rollback"}), _DATABASE),
    "subprocess.Popen": (frozenset({"wait", "communicate"}), _PROCESS),
    "threading.Thread": (frozenset({"join"}), _THREAD),
    "multiprocessing.Process": (frozenset({"join"}), _THREAD),
    "boto3.client": (frozenset({"*"}), "await aioboto3, or run it with asyncio.to_thread"),
    "smtplib.SMTP": (frozenset({"sendmail", "send_message", "login"}), _THREAD),
    "smtplib.SMTP_SSL": (frozenset({"sendmail", "send_message", "login"}), _THREAD),
}
"""The methods that block, and what to do instead, by the full name of what makes the object. ``*`` is any method."""

EXECUTORS: Final = frozenset(
    {"concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor"}
    | {"concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"}
)
"""What makes an executor whose ``submit`` returns a future with a ``result`` that blocks."""

FUTURES: Final = frozenset({"asyncio.run_coroutine_threadsafe"})
"""What returns such a future itself."""
