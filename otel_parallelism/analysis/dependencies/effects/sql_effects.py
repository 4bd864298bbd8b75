"""Decides from the text of a query in SQL, Cypher or GraphQL whether it changes anything."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from .verb_tables import word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from otel_parallelism.model import Effect

_LONGEST = 20_000
_NOT_CODE = LazyPattern(
    r"""
    --[^\n]* | /\*.*?(?:\*/|\Z) | '(?:[^'\\]|''|\\.)*+(?:'|\\?\Z) | "(?:[^"]|"")*+(?:"|\Z) | `[^`]*+(?:`|\Z)
    | \$(\w{0,64})\$.*?(?:\$\1\$|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_AMBIGUOUS = LazyPattern(r"\\'|/\*!|:=|(?<![\w@<>])@@?[A-Za-z_]")
"""
A quote after a backslash, which only some databases escape; a comment that MySQL executes; an assignment; a variable of
the session, which an earlier statement may have set.
"""
_UNCLOSED = LazyPattern("['\"`]")
_TOKENS = LazyPattern(r"[A-Za-z_][\w$]*|[().;,=]|\S")
_READING = word_set(
    """
    select with show describe desc explain values table pragma match return unwind optional
    """
)
_WRITING = word_set(
    """
    insert update delete merge replace truncate create alter drop grant revoke upsert rename vacuum reindex load
    import set use begin commit rollback start savepoint release reset discard attach detach lock unlock copy
    comment
    """
)
"""First words of statements that change data, or the session: ``SET search_path``, ``BEGIN``, ``USE``."""
_NEVER_IN_A_READ = word_set(
    """
    insert update delete merge truncate drop alter create grant revoke into lock call exec execute set remove detach
    foreach load analyze outfile dumpfile nextval currval updlock xlock tablockx holdlock readpast sql_calc_found_rows
    """
)
_OF_A_SEQUENCE = frozenset({"nextval", "currval"})
_OF_THE_LAST_STATEMENT = frozenset({"warnings", "errors", "profile", "profiles"})
"""What ``show`` returns about the statement before."""

_CLAUSES = word_set(
    """
    in as over using and or not exists from join on where values any all some by having when then else case union
    intersect except select filter within distinct lateral like ilike between is limit offset with recursive
    partition order group array row table end materialized ordinality return match unwind interval
    """
)
_PURE = word_set(
    """
    count sum avg min max coalesce nullif ifnull isnull nvl iif if greatest least abs round ceil ceiling floor trunc
    truncate mod power sqrt exp ln log sign lower upper initcap trim ltrim rtrim btrim length char_length len substr
    substring left right replace regexp_replace regexp_matches regexp_match regexp_extract regexp_like concat
    concat_ws string_agg group_concat array_agg json_agg jsonb_agg json_object json_array json_extract json_value
    json_query json_each jsonb_each json_build_object jsonb_build_object json_array_length jsonb_array_length unnest
    generate_series split_part strpos position instr charindex lpad rpad repeat reverse format to_char to_date
    to_timestamp to_number cast try_cast convert date datetime time timestamp strftime date_trunc date_part date_add
    date_sub datediff date_diff dateadd extract year month day hour minute second week quarter now current_date
    current_time current_timestamp getdate sysdate julianday unixepoch age interval row_number rank dense_rank
    percent_rank cume_dist ntile lag lead first_value last_value nth_value stddev stddev_pop stddev_samp variance
    var_pop var_samp median percentile_cont percentile_disc mode corr approx_count_distinct bool_and bool_or every
    bit_and bit_or md5 sha1 sha256 hash encode decode to_json to_jsonb row_to_json varchar char numeric decimal text
    integer int float double bit any_value list array_length cardinality array_to_string string_to_array countif
    count_if sumif uniq uniqexact toyear tomonth todate todatetime formatdatetime pg_size_pretty
    pg_total_relation_size pg_relation_size pg_database_size pg_get_viewdef pg_get_functiondef st_distance st_within
    st_contains st_intersects st_makepoint st_point st_dwithin cosine_similarity collect size labels type keys
    properties nodes relationships id tolower toupper tostring tointeger head last range
    """
)
_PRAGMAS = word_set(
    """
    table_info table_xinfo table_list index_list index_info foreign_key_list database_list compile_options
    """
)
_LOOKS_LIKE_SQL = LazyPattern(
    r"""
    select\b.+?\bfrom\b | select\s+(\*|\d|[\w.]+\s*\()
    | insert\s+(into|overwrite)\b | update\s+\S+\s+set\b | delete\s+from\b | truncate\s+\S+ | merge\s+into\b
    | with\s++(recursive\s++)?\w++.*?\bas\b\s*\( | replace\s+into\b | set\s+\S+\s*(=|to\b)
    | (drop|alter|create)\s+(table|view|index|database|schema|user|role|temp\w*|unique|or|materialized|function
    |procedure|trigger|sequence|type|extension)\b
    | (grant|revoke)\s.+\b(on|to|from)\b | explain\s+(select|analy[sz]e|\() | use\s+\w+\s*;?\s*$
    | show\s+(warnings|errors|profiles?|count\b) | select\s+@ | (select|values)\s+next\s+value\s+for\b
    | (begin|commit|rollback|start\s+transaction)\b\s*(transaction|work)?\s*(;|$)
    | pragma\s+\w+ | show\s+(tables|databases|schemas|columns|create)\b | describe\s+\w+\s*;?\s*$
    | (optional\s+)?match\s*\( | (call|exec(ute)?)\s+[\w.]+ | merge\s*\(
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_COMMAND = LazyPattern(
    r"""
    \s*+(?: [.\\][a-z]
    | (?i:vacuum|reindex|checkpoint|deallocate|unlisten|refresh\s+(?:materialized|dynamic|table)|flush\s+(?:tables|logs
    |privileges|status)|optimize\s+table|analyze\s+table|declare\s+\w+\s|fetch\s+(?:next|prior|first|last|absolute
    |relative|forward|backward|all|\d+)\s+from\b|handler\s+\w+\s+(?:open|read|close)|do\s+\$|prepare\s+\w+\s+(?:as|from)\b
    |copy\s+\S+\s+(?:to|from)\b|unload\s*\(|export\s+data\b|install\s+\w+\s*;?\s*$|(?:attach|detach)\s+\S+)
    | (?:ANALY[SZ]E|LISTEN|NOTIFY|KILL|CLUSTER|LOCK|RESET|PURGE|BACKUP|RESTORE|SYSTEM|MERGE|UPSERT|OPEN|CLOSE|FETCH|MOVE
    |OPTIMIZE|STOP|START|LOAD|IMPORT|COPY|DO|GET\s+DIAGNOSTICS|COMMENT|SHUTDOWN|FLUSH|REFRESH|INSTALL|UNLOAD|EXPORT
    |CACHE|UNCACHE|MSCK|INVALIDATE|UNWIND|FOREACH|FROM|PIVOT|SUMMARIZE|REPAIR|WITH|VALUES|TABLE
    |SELECT|SHOW|EXPLAIN|ALTER|RAISE|SIGNAL|CONTINUE|GO)\b )
    """,
    re.VERBOSE,
)
"""Statements beside those of `_LOOKS_LIKE_SQL`, in capitals where a question in English may begin so."""

_OPERATIONS = LazyPattern(r"\b(query|mutation|subscription|fragment)\b")
_OF_GRAPHQL = LazyPattern(r'#[^\n]*|"""(?:.*?)"""|"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def looks_like_sql(text: str) -> bool:
    """
    Return whether *text* has the form of a statement in SQL or Cypher, not that of a sentence.

    >>> looks_like_sql("DELETE FROM orders"), looks_like_sql("Select a nice hotel"), looks_like_sql("update me")
    (True, False, False)
    """
    code = _NOT_CODE.sub(lambda found: " " if _is_closed(found) else found[0], text[:_LONGEST])
    return _LOOKS_LIKE_SQL.match(code.strip("( \n\t;")) is not None


def commands_database(text: str) -> bool:
    """
    Return whether *text*, which a tool for a database was given, is a further statement, and not a question.

    >>> commands_database("VACUUM"), commands_database("FETCH NEXT FROM c"), commands_database("Analyze our users")
    (True, True, False)
    """
    return _COMMAND.match(text[:_LONGEST]) is not None


def _is_closed(found: re.Match[str]) -> bool:
    """Return whether a comment or a quoted text has an end, and not just the end of the whole text."""
    text = found[0]
    if text.startswith("--"):
        return True
    begin, end = ("/*", "*/") if text.startswith("/*") else (f"${found[1]}$",) * 2 if text[0] == "$" else (text[0],) * 2
    return len(text) >= len(begin) + len(end) and text.endswith(end)


def _blank(found: re.Match[str]) -> str:
    """Return what stands for a comment or a quoted text; what is not closed leaves a quote, which is found below."""
    if not _is_closed(found):
        return " ' "
    return " " if found[0].startswith(("--", "/*")) else " _ "


def sql_effect(text: str) -> Effect:
    """
    Return the effect of the statements in *text*; ``unknown`` unless all are plainly reading, or one plainly writes.

    A statement that changes the session or the transaction writes. Functions count only if they are known to be pure.

    >>> sql_effect("SELECT count(*) FROM t"), sql_effect("WITH m AS (DELETE FROM t RETURNING *) SELECT * FROM m")
    ('read', 'write')
    >>> sql_effect("SELECT nextval('s')"), sql_effect("SELECT * FROM t FOR UPDATE"), sql_effect("SET a = 1; SELECT 1")
    ('unknown', 'unknown', 'write')
    """
    # A cache would hold what is longer.
    return "unknown" if len(text) > _LONGEST else _sql_effect(text)


@lru_cache(maxsize=1024)
def _sql_effect(text: str) -> Effect:
    code = _NOT_CODE.sub(_blank, text)
    effects: set[Effect] = {"unknown"} if _AMBIGUOUS.search(text) or _UNCLOSED.search(code) else set()
    for statement in code.split(";"):
        words = [word.lower() for word in _TOKENS.findall(statement)]
        if words:
            effects.add(_statement_effect(words))
    if "write" in effects:
        return "write"
    return "read" if effects == {"read"} else "unknown"


def _statement_effect(words: Sequence[str]) -> Effect:
    """Return the effect of one statement, given as lower-case words and signs."""
    while words and words[0] == "(":
        words = words[1:]
    first = words[0] if words else ""
    if first in _WRITING or first not in _READING:
        return "write" if first in _WRITING else "unknown"
    if first == "pragma":
        return "read" if len(words) > 1 and words[1] in _PRAGMAS and "=" not in words else "unknown"
    written = [word for at, word in enumerate(words) if _writes_here(words, at)]
    if first in {"with", "match", "optional", "unwind"} and {"insert", "update", "delete", "merge", "create"} & {
        *written
    }:
        # A data-modifying common table expression, or a writing clause of Cypher.
        return "write" if not _locks(words) else "unknown"
    if first == "show" and not _OF_THE_LAST_STATEMENT.isdisjoint(words):
        return "unknown"
    plain = first in {"show", "describe", "desc", "table"}
    if (written and not plain) or any(_calls_unknown_function(words, at) for at in range(len(words) - 1)):
        return "unknown"
    return "read"


def _locks(words: Sequence[str]) -> bool:
    """Return whether rows are locked: ``FOR UPDATE``, ``FOR SHARE``."""
    return any(word == "for" and after in {"update", "share", "no", "key"} for word, after in pairwise(words))


def _writes_here(words: Sequence[str], at: int) -> bool:
    """Return whether the word at a position is a verb that no reading statement has: not a column's or table's name."""
    if words[at] in {"share", "for"}:
        return words[at] == "for" and _locks(words[at : at + 2])
    if words[at] in _OF_A_SEQUENCE or (words[at] == "next" and words[at + 1 : at + 3] == ["value", "for"]):
        return True
    if words[at] not in _NEVER_IN_A_READ:
        return False
    return words[at - 1] != "." and words[at + 1 : at + 2] != ["."]


def _calls_unknown_function(words: Sequence[str], at: int) -> bool:
    """Return whether the word at a position is called as a function that is not known to be pure."""
    word = words[at]
    if words[at + 1] != "(" or not (word[0].isalpha() or word[0] == "_"):
        return False
    if words[at - 1] == "." and at:
        return True
    names_columns = at > 0 and words[at - 1] in {"as", "with"}
    return word not in _PURE and word not in _CLAUSES and not names_columns


def graphql_effect(text: str) -> Effect | None:
    """
    Return the effect of a GraphQL document; None if *text* is none. A subscription is ``unknown``.

    >>> graphql_effect("mutation { close(id: 1) { ok } }"), graphql_effect("{ me { name } }"), graphql_effect("hello")
    ('write', 'read', None)
    """
    code = _OF_GRAPHQL.sub(lambda found: " " if found[0].startswith("#") else " _ ", text[:_LONGEST]).strip()
    if "{" not in code or len(text) > _LONGEST:
        return None
    if not code.startswith("{") and _OPERATIONS.match(code) is None:
        return None
    depth, outside = 0, []
    for sign in code:
        depth += (sign in "{(") - (sign in "})")
        outside.append(sign if depth == 0 else " ")
    kinds = set(_OPERATIONS.findall("".join(outside)))
    if code.startswith("{") and re.match(r"\{\s*(_\s*:|\}|\$)", code):
        # A filter in JSON.
        return None
    if "mutation" in kinds:
        return "write"
    return "unknown" if "subscription" in kinds else "read"
