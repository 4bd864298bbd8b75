"""Functions that are known to change nothing, only their receiver, or only what is printed."""

from __future__ import annotations

import ast


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _words(
    "len str int float bool repr sorted list dict set tuple frozenset range enumerate zip min max sum abs round "
    "any all isinstance issubclass hasattr getattr type reversed bytes bytearray format ord chr hash divmod pow "
    "map filter slice cast partial deepcopy callable complex ascii hex bin oct memoryview super object id"
)
_MODULES = _words(
    "json re math itertools operator textwrap string hashlib base64 html copy functools dataclasses collections "
    "posixpath ntpath typing statistics unicodedata binascii struct fnmatch orjson ujson"
)
_TEXT_METHODS = _words(
    "strip lstrip rstrip lower upper title capitalize casefold format join split rsplit splitlines partition "
    "rpartition replace encode decode startswith endswith removeprefix removesuffix zfill ljust rjust center "
    "isdigit isalpha isoformat hex hexdigest digest total_seconds bit_length as_posix"
)
_READING_METHODS = _words("get items keys values copy index count model_dump model_dump_json to_dict dict")
_MUTATORS = _words(
    "append extend add update insert setdefault appendleft extendleft remove discard clear pop popleft popitem "
    "sort reverse rotate subtract move_to_end"
)
_LOGGING = _words("debug info warning warn error exception critical log")
_REFLECTION = _words("exec eval locals globals vars __import__ breakpoint")
_HARMLESS_BLOCKS = _words(
    "timeout timeout_at move_on_after fail_after agent_turn start_as_current_span start_span span nullcontext "
    "catch_warnings"
)
_TEXT_OR_NUMBER = _words("len str int float bool repr range ord chr hash abs round isinstance hex bin oct format")


def dotted(node: ast.expr) -> str:
    """
    Return a name with its attributes as text; empty for any other expression.

    >>> dotted(ast.parse("a.b.c", mode="eval").body), dotted(ast.parse("a().b", mode="eval").body)
    ('a.b.c', '')
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def is_pure(call: ast.Call) -> bool:
    """Return whether the function is known to change nothing and to depend on nothing but what is passed to it."""
    func = call.func
    if isinstance(func, ast.Name):
        return func.id in _BUILTINS or _is_class(func.id)
    if isinstance(func, ast.Attribute):
        name = dotted(func)
        root = name.partition(".")[0]
        if root in _MODULES or name.startswith(("os.path.", "urllib.parse.")):
            return True
        return func.attr in _TEXT_METHODS or (func.attr in _READING_METHODS and bool(call.args or func.attr != "get"))
    return False


def makes_text_or_number(call: ast.Call) -> bool:
    """Return whether the result is known to be text or a number, which no later call can change."""
    func = call.func
    if isinstance(func, ast.Name):
        return func.id in _TEXT_OR_NUMBER
    return isinstance(func, ast.Attribute) and (
        (func.attr in _TEXT_METHODS and "split" not in func.attr and "partition" not in func.attr)
        or dotted(func) in {"json.dumps", "os.path.join", "textwrap.dedent", "html.escape", "math.ceil", "math.floor"}
    )


def _is_class(name: str) -> bool:
    """
    Return whether *name* is written like a class: ``Query``, not ``query`` or ``QUERY``.

    >>> _is_class("Query"), _is_class("_Query2"), _is_class("QUERY"), _is_class("query")
    (True, True, False, False)
    """
    bare = name.lstrip("_")
    return bare[:1].isupper() and not bare.isupper()


def is_sink(call: ast.Call) -> bool:
    """Return whether the call only prints or logs."""
    func = call.func
    if isinstance(func, ast.Name):
        return func.id == "print" and not any(keyword.arg in {"file", None} for keyword in call.keywords)
    if isinstance(func, ast.Attribute) and func.attr in _LOGGING:
        return "log" in dotted(func.value).rpartition(".")[2].lower()
    return False


def is_mutator(call: ast.Call) -> bool:
    """Return whether the call is known to change no more than its receiver, a container."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in _MUTATORS


def is_sleep(call: ast.Call) -> bool:
    """Return whether the call only lets time pass."""
    return dotted(call.func).rpartition(".")[2] == "sleep"


def yields_only(call: ast.Call) -> bool:
    """Return whether a call of ``sleep`` only lets others run: ``sleep(0)``."""
    return len(call.args) == 1 and isinstance(call.args[0], ast.Constant) and not call.args[0].value


def is_reflection(call: ast.Call) -> bool:
    """Return whether the call can read or change any variable."""
    return isinstance(call.func, ast.Name) and call.func.id in _REFLECTION


def is_harmless_block(context: ast.expr) -> bool:
    """Return whether entering and leaving the ``with`` block of *context* changes nothing that a call can see."""
    func = context.func if isinstance(context, ast.Call) else context
    return dotted(func).rpartition(".")[2] in _HARMLESS_BLOCKS


_GUARDS = _words(
    "access permission permissions permitted allow allowed authorize authorized authenticate auth approve "
    "approval confirm confirmation validate verify ensure require check assert guard can may must raise login "
    "connect"
)


def is_guard(name: str) -> bool:
    """
    Return whether a function's *name* says that it may refuse what comes after it.

    >>> is_guard("check_access"), is_guard("raise_for_status"), is_guard("get_price")
    (True, True, False)
    """
    return not _GUARDS.isdisjoint(name.lower().split("_"))
