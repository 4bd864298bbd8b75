"""Decides from a call's arguments what it does: an HTTP method, a query, a shell command, an action by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from otel_parallelism.long_numbers import text_of
from otel_parallelism.patterns import LazyPattern

from .acting_addresses import acts_by_address
from .shell_commands import shell_effect
from .sql_effects import commands_database, graphql_effect, looks_like_sql, sql_effect
from .tool_verbs import assumed_effect, is_generic, split_name, words_in_name
from .verb_tables import word_set

if TYPE_CHECKING:
    from otel_parallelism.model import Effect

_MOST_ARGUMENTS = 32
_LEAST_IDENTIFIER = 1_000
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _READING_METHODS | {"POST", "PUT", "PATCH", "DELETE"}
_NAMES_OF_METHODS = frozenset({"method", "http method", "request method", "verb", "http verb", "httpmethod"})
_NAMES_OF_URLS = frozenset({"url", "uri", "endpoint", "path", "href", "base url"})
_NAMES_OF_BODIES = frozenset({"body", "data", "json", "payload", "form", "files", "form data", "json body"})
_NAMES_OF_QUERIES = frozenset(
    {"query", "q", "statement", "statements", "queries", "text", "input", "command", "stmt", "script", "code", "cypher"}
)
_NAMES_OF_PROCEDURES = frozenset({"method", "rpc method", "procedure", "function", "function name", "method name"})
_REMOTE = word_set("rpc jsonrpc node sdk client blockchain web3 ethereum eth api")
_NAMES_OF_GRAPHQL = frozenset({"query", "mutation", "graphql", "document", "gql", "operation", "body", "q", "input"})
_NAMES_OF_COMMANDS = frozenset(
    {"command", "cmd", "commands", "full command", "shell command", "bash command", "command line", "args"}
)
_NAMES_OF_ACTIONS = frozenset({"action", "operation", "op", "command", "cmd", "subcommand", "verb", "action type"})
_NAMES_OF_OUTPUTS = frozenset(
    f"{first} {last}"
    for first in ("output", "out", "save", "dest", "destination", "download", "export", "dump", "target", "write", "to")
    for last in ("path", "file", "dir", "directory", "folder", "filename")
) | {"outfile", "outdir", "save to", "save as", "write to", "download to", "export to"}
_MAY_BE_OUTPUTS = frozenset({"output", "out", "dest", "destination", "target"})
_LONGEST_PATH = 4_096
_PATH = LazyPattern(r"\S*[/\\]\S+|\S+\.[A-Za-z]\w{0,4}")
_NAMES_OF_SCRIPTS = frozenset({"code", "script", "input", "query"})
_SHELLS = frozenset({"bash", "shell", "sh", "zsh", "terminal", "powershell", "console", "exec", "subprocess"})
_DATABASES = word_set(
    """
    sql database db postgres postgresql mysql sqlite duckdb snowflake bigquery redshift clickhouse oracle mssql
    athena trino presto warehouse cypher neo4j supabase databricks query
    """
)
_REDIS = word_set(
    """
    get mget keys scan exists ttl pttl type strlen llen lrange lindex hget hgetall hmget hkeys hvals hlen hexists
    smembers scard sismember zrange zcard zscore zcount info dbsize getrange memory
    """
)
_KEEPS_VALUES = LazyPattern(
    r"\s*[A-Za-z_]\w*(?:\[[^\]\n]*\])?\s*(?::=|[-+*/]?=)(?!=)|.*?(?:\binplace\s*=\s*True\b|\bdel\s"
    r"|\.to_(?:csv|sql|parquet|excel|json|pickle)\()|\W*(?:ans|answer)\b",
    re.DOTALL,
)
"""``x = 3``, ``ans * 2``."""

_NAMES_OF_EXPRESSIONS = frozenset(
    {"", "expression", "expr", "formula", "calculation", "input", "query", "code", "script"}
)
_EVALUATING = word_set("calculate calculator compute math evaluate eval dataframe df pandas polars repl notebook")
_CALCULATIONS = frozenset({"calculate", "calculator", "compute", "convert", "math", "translate", "format"})
ACTS = word_set(
    """
    create update delete remove insert write send cancel modify replace publish submit install approve reject assign
    unsubscribe save overwrite migrate reset clear subscribe execute buy confirm commit apply mark hold reserve book pay
    purchase refresh persist consume acknowledge ack claim redeem upsert notify store lock rebuild reindex regenerate
    recalculate recompute resync rescan reload invalidate purge restart start stop trigger launch force generate
    sync synchronize wait await retrain chdir cd load prefetch warm
    """
)
"""Words in the name of a flag that makes the call act: ``mark_as_read``."""

_KINDS_OF_FLAGS = word_set(
    "include includes with without only is has have exclude show allow allows filter no skip hide can supports was free"
)
"""First words of a flag that only chooses what is returned: ``include_deleted``."""

ACTS_WITH = word_set("set mark hold reserve assign train")
"""First words of a text argument that makes the call act: ``set_language``."""

FOR_A_WHILE = frozenset({"hold", "lock", "reserve", "visibility", "lease", "claim"})
"""Words in the name of a number that says for how long a call keeps a thing from others: ``hold_seconds``."""

POLICIES = frozenset({"cache", "mode", "policy", "strategy", "missing"})
"""Last words in the name of a text that may ask a call to act: ``if_missing="create"``."""

REHEARSALS = frozenset({"dryrun", "previewonly", "readonly", "simulate", "testmode"})
"""Flags that keep a call from acting: where one is false, it acts."""


def argument_effect(tool: str, arguments: object, named: Mapping[str, str] | None = None) -> Effect | None:
    """
    Return the effect that the *arguments* of a call show; None if they show none.

    ``unknown`` means that they may write: then the name of the tool does not count.

    Args:
        tool: The name of the tool.
        arguments: The arguments by name, or the values alone.
        named: What `named_texts` returns for them, if it is known.

    >>> argument_effect("fetch", {"url": "https://a.example", "method": "POST"})
    'write'
    >>> argument_effect("execute_query", {"sql": "SELECT 1"}), argument_effect("get_user", {"id": 7})
    ('read', None)
    """
    given = named_texts(arguments) if named is None else named
    words = {word for part in split_name(tool) for word in part}
    shown = {_http_effect(tool, given)}
    if any(text and _names_an_output(name, text) for name, text in given.items()) or _asks_to_act(arguments):
        shown.add("unknown")
    if not words.isdisjoint(_REMOTE):
        shown.update(_remote_effect(text) for name, text in given.items() if name in _NAMES_OF_PROCEDURES)
    for name, text in given.items():
        bare = name.partition("#")[0]
        shown.add("unknown" if _keeps_values(words, bare, text) else _text_effect(tool, words, bare, text))
    for effect in ("write", "unknown", "read"):
        if effect in shown:
            return effect
    return None


def named_texts(arguments: object) -> dict[str, str]:
    """Return the arguments as texts by the words of their names; those without a name by ``#`` and their position."""
    named: Iterable[tuple[object, object]]
    if isinstance(arguments, Mapping):
        # Some frameworks pass all arguments in one.
        inner = [value for value in arguments.values() if isinstance(value, Mapping)]
        named = [*arguments.items(), *(pair for value in inner[:4] for pair in value.items())]
    elif isinstance(arguments, (list, tuple)):
        named = [(f"#{position}", value) for position, value in enumerate(arguments)]
    else:
        named = [("#0", arguments)]
    texts: dict[str, str] = {}
    for name, value in list(named)[:_MOST_ARGUMENTS]:
        if value is None or (isinstance(value, (str, list, tuple, Mapping)) and not value):
            continue
        key = name if isinstance(name, str) and name.startswith("#") else " ".join(words_in_name(text_of(name)))
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            texts.setdefault(key, _joined(value))
        else:
            texts.setdefault(key, value if isinstance(value, str) else "")
    return texts


def names_nothing(arguments: object, named: Mapping[str, str]) -> bool:
    """
    Return whether the *arguments* of a call hold no text and no identifier that may say what it concerns.

    Args:
        arguments: The arguments by name, or the values alone.
        named: What `named_texts` returns for them.
    """
    if not isinstance(arguments, Mapping):
        return not arguments
    numbers = [value for value in arguments.values() if isinstance(value, (int, float))]
    identified = any(abs(number) >= _LEAST_IDENTIFIER for number in numbers)
    identified = identified or any("id" in words_in_name(text_of(name)) for name in arguments)
    return not identified and not any(named.values())


def _names_an_output(name: str, text: str) -> bool:
    """
    Return whether an argument says where to write, though its tool may have a reading name.

    >>> _names_an_output("output", "out/report.csv"), _names_an_output("output", "a/" * 50_000 + " ")
    (True, False)
    """
    if name in _NAMES_OF_OUTPUTS:
        return True
    may_be = name in _MAY_BE_OUTPUTS and len(text) <= _LONGEST_PATH
    return may_be and not _is_address(text) and _PATH.fullmatch(text) is not None


def _asks_to_act(arguments: object) -> bool:
    """
    Return whether an argument asks a call to act beside what it returns, though its tool may have a reading name.

    >>> _asks_to_act({"mark_as_read": True}), _asks_to_act({"dry_run": False}), _asks_to_act({"hold": "1h"})
    (True, True, True)
    >>> _asks_to_act({"hold_seconds": 300}), _asks_to_act({"if_missing": "create"}), _asks_to_act({"cache": "10m"})
    (True, True, False)
    >>> _asks_to_act({"open_now": True}), _asks_to_act({"include_deleted": True}), _asks_to_act({"save": False})
    (False, False, False)
    """
    for name, value in list(arguments.items())[:_MOST_ARGUMENTS] if isinstance(arguments, Mapping) else ():
        words = words_in_name(text_of(name))
        if not isinstance(value, (bool, str)) or not value:
            rehearses_not = value is False and "".join(words) in REHEARSALS
            if rehearses_not or (isinstance(value, (int, float)) and value > 0 and not FOR_A_WHILE.isdisjoint(words)):
                return True
            continue
        if value is True and not ACTS.isdisjoint(words) and _KINDS_OF_FLAGS.isdisjoint(words[:1]):
            return True
        if isinstance(value, str) and words and words[-1] in POLICIES and not ACTS.isdisjoint(words_in_name(value)):
            return True
        if isinstance(value, str) and words[:1] and words[0] in ACTS_WITH and (len(words) > 1 or words[0] == "hold"):
            return True
    return False


def _joined(words: list[str] | tuple[str, ...]) -> str:
    """Return a command that is given as a list of words as one text; the inner command of ``bash -lc``."""
    if len(words) == 3 and words[0].rpartition("/")[2] in _SHELLS and re.fullmatch("-l?c", words[1]):  # noqa: PLR2004
        return words[2]
    return " ".join(
        word if re.fullmatch(r"[\w./:=@%+,-]+", word) else "'" + word.replace("'", "`") + "'" for word in words
    )


def _http_effect(tool: str, given: Mapping[str, str]) -> Effect | None:
    """Return the effect of a request over HTTP; None if the arguments show none."""
    methods = {text.strip().upper() for name, text in given.items() if name in _NAMES_OF_METHODS}
    methods |= {text for name, text in given.items() if name.startswith("#") and text in _METHODS}
    methods &= _METHODS
    addresses = [text for name, text in given.items() if name in _NAMES_OF_URLS or _is_address(text)]
    acts = any(_is_address(text) and acts_by_address(text) for text in addresses)
    if methods - _READING_METHODS:
        searches = any(re.search(r"(_?search|query|graphql|_count)/?([?#]|$)", text) for text in addresses)
        return "write" if (addresses or is_generic(tool)) and not searches else "unknown"
    if acts:
        return "unknown"
    if methods:
        return "read"
    return "unknown" if addresses and not _NAMES_OF_BODIES.isdisjoint(given) else None


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _remote_effect(method: str) -> Effect | None:
    """
    Return the effect of the procedure that a call has another program run, named with or without a namespace.

    >>> _remote_effect("eth_sendRawTransaction"), _remote_effect("eth_getBalance"), _remote_effect("GET")
    ('unknown', None, None)
    """
    if method.upper() in _METHODS or not re.fullmatch(r"[\w.:/-]{2,80}", method):
        return None
    known = {assumed_effect(method), assumed_effect(re.split(r"[_.:/]", method, maxsplit=1)[-1])}
    return None if "read" in known else "unknown"


def _keeps_values(words: set[str], name: str, text: str) -> bool:
    """Return whether an argument is code that keeps a value for the next call, or takes that of the one before."""
    evaluates = name in _NAMES_OF_EXPRESSIONS and not words.isdisjoint(_EVALUATING)
    return evaluates and _KEEPS_VALUES.match(text[:_LONGEST_PATH]) is not None


def _text_effect(tool: str, words: set[str], name: str, text: str) -> Effect | None:
    """Return the effect that the one argument of this *name* shows; the name is empty if it has none."""
    text = text.strip()
    if not text:
        return None
    is_sql = "sql" in name.split()
    holds_query = name in _NAMES_OF_QUERIES or not name
    if (name in _NAMES_OF_GRAPHQL or not name) and (found := graphql_effect(text)) is not None:
        return found
    of_database = holds_query and bool(words & _DATABASES)
    sql = is_sql or (of_database and commands_database(text))
    if sql or ((of_database or (holds_query and is_generic(tool))) and looks_like_sql(text)):
        return sql_effect(text)
    runs_shell = bool(words & _SHELLS) or ("command" in words and bool(words & {"run", "execute"}))
    if name in _NAMES_OF_COMMANDS or (runs_shell and (not name or name in _NAMES_OF_SCRIPTS)):
        return _command_effect(words, name, text, runs_shell=runs_shell)
    if name in _NAMES_OF_ACTIONS and words.isdisjoint(_CALCULATIONS):
        return assumed_effect(text) if re.fullmatch(r"[\w.-]{1,64}", text) else None
    return None


def _command_effect(words: set[str], name: str, text: str, *, runs_shell: bool) -> Effect:
    """Return the effect of a command, which may be one of a shell, of Redis, or a single word for an action."""
    if not words.isdisjoint({"redis", "valkey"}):
        return "read" if text.split(maxsplit=1)[0].lower() in _REDIS and ";" not in text else "unknown"
    if not runs_shell and name in _NAMES_OF_ACTIONS and re.fullmatch(r"[a-z]\w*", text):
        return assumed_effect(text)
    return shell_effect(text)
