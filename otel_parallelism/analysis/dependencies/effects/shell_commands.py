"""
Decides from the text of a shell command whether it only reads.

A table names the commands that read, with the options that do not let them. Whatever the table does not name, and any
syntax beyond pipes, lists and plain redirections, is ``unknown``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from otel_parallelism.patterns import LazyPattern

from . import shell_tables as tables
from .acting_addresses import acts_by_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from otel_parallelism.model import Effect

_LONGEST = 8_000
_LEXEMES = LazyPattern(
    r"""
    (?P<space>[ \t]+|\\\n)
    | (?P<redirect>(?:\d|&)?>>?(?:&\d)?|<(?![<(&]))
    | (?P<list>&&|\|\||\||;|\n)
    | (?P<quoted>'[^']*')
    | (?P<double>"(?:[^"\\`$]|\\.|\$(?![({]))*")
    | (?P<word>(?:[^\s'"`$();&|<>\\{}]|\\.|\$(?![({']))+)
    """,
    re.VERBOSE | re.DOTALL,
)
_NOWHERE = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout"})
_OF_THE_LAST_COMMAND = LazyPattern(r"\$(?:[?!_]|\{[?!_]\}|OLDPWD|PIPESTATUS|REPLY)(?!\w)")
"""What a shell remembers of the command before; a job in its background."""

_ADDRESS = "://"
_ASSIGNMENT = LazyPattern(r"[A-Za-z_]\w*=")


def shell_effect(command: str) -> Effect:
    """
    Return the effect of a shell command.

    >>> shell_effect("git status"), shell_effect("grep -rn foo . | head -5"), shell_effect("ls > out.txt")
    ('read', 'read', 'write')
    >>> shell_effect("find . -delete"), shell_effect("cd /tmp && ls"), shell_effect("echo $(date)")
    ('unknown', 'unknown', 'unknown')
    """
    # A cache would hold what is longer.
    return "unknown" if len(command) > _LONGEST else _shell_effect(command)


@lru_cache(maxsize=1024)
def _shell_effect(command: str) -> Effect:
    commands = _simple_commands(command.strip())
    if commands is None:
        # A substitution, a group, a background job, a here-document.
        return "unknown"
    effects = {_command_effect(words) for words in commands}
    if "write" in effects:
        return "write"
    return "read" if effects == {"read"} else "unknown"


def _simple_commands(text: str) -> list[list[str]] | None:
    """Return the words of each simple command of *text*, a file written to as ``tee`` does; None if it has others."""
    commands: list[list[str]] = [[]]
    redirected, joined, at = "", False, 0
    while at < len(text):
        found = _LEXEMES.match(text, at)
        if found is None:
            return None
        at, kind, lexeme = found.end(), found.lastgroup, found[0]
        if kind in {"list", "redirect"} and redirected:
            return None
        if kind == "list":
            commands.append([])
        elif kind == "redirect":
            redirected = "" if lexeme.endswith(("&1", "&2")) else lexeme
        elif kind != "space":
            word = _unquoted(lexeme)
            if redirected:
                if ">" in redirected and word not in _NOWHERE:
                    commands.insert(0, ["tee", word])
                redirected = ""
            elif joined and commands[-1]:
                commands[-1][-1] += word
            else:
                commands[-1].append(word)
        joined = kind in {"quoted", "double", "word"}
    return None if redirected else [words for words in commands if words]


def _unquoted(lexeme: str) -> str:
    if lexeme[0] in "'\"":
        return lexeme[1:-1]
    return re.sub(r"\\(.)", r"\1", lexeme)


def _command_effect(words: Sequence[str]) -> Effect:
    """Return the effect of one simple command, given as words."""
    if any(_OF_THE_LAST_COMMAND.search(word) or (_ADDRESS in word and acts_by_address(word)) for word in words):
        return "unknown"
    name, arguments = words[0].removeprefix("/usr").removeprefix("/bin/"), words[1:]
    name = tables.ALIASES.get(name, name)
    if name in tables.READS:
        return "unknown" if _has_option(arguments, tables.READS[name]) else "read"
    if name in tables.READS_BY_SUBCOMMAND:
        return _subcommand_effect(name, arguments)
    if name in _SPECIAL:
        return _SPECIAL[name](arguments)
    asks_for_help = arguments in (["--version"], ["-V"], ["--help"]) and not _ASSIGNMENT.match(name)
    return "write" if name in tables.WRITES else "read" if asks_for_help else "unknown"


def _has_option(arguments: Sequence[str], options: Sequence[str]) -> bool:
    """Return whether *arguments* have one of *options*: with ``=value``, or as a letter among others (``-rf``)."""
    for argument in arguments:
        for option in options:
            if argument == option or argument.startswith(f"{option}="):
                return True
            short = len(option) == 2 and argument.startswith("-") and not argument.startswith("--")  # noqa: PLR2004
            if short and option[1] in argument[1:]:
                return True
    return False


def _subcommand_effect(name: str, arguments: Sequence[str]) -> Effect:
    rest = list(arguments)
    while name == "git" and rest[:1] and rest[0] in {"-C", "--no-pager"}:
        del rest[: 2 if rest[0] == "-C" else 1]
    if not rest:
        return "unknown"
    subcommand, options = rest[0], rest[1:]
    if subcommand in tables.WRITES_BY_SUBCOMMAND.get(name, ()):
        return "write"
    if name == "git" and subcommand in {"branch", "remote", "tag", "stash", "config", "worktree"}:
        listing = {"branch": ({"-a", "-r", "-v", "-vv", "--list", "--show-current"}, True), "remote": ({"-v"}, True)}
        allowed, bare = listing.get(subcommand, ({"-l", "--list", "list", "--get", "get-url"}, subcommand == "tag"))
        return "read" if (options and allowed.issuperset(options)) or (not options and bare) else "unknown"
    if subcommand not in tables.READS_BY_SUBCOMMAND[name] or _has_option(options, _unsafe(name, subcommand)):
        return "unknown"
    return "read"


def _unsafe(name: str, subcommand: str) -> tuple[str, ...]:
    if name == "git":
        return ("--output", "--open-files-in-pager", "--ext-diff") + (("-O",) if subcommand == "grep" else ())
    if subcommand in {"logs", "get", "top", "status"}:
        return ("-f", "--follow", "-w", "--watch") if subcommand != "get" else ("-w", "--watch", "--watch-only")
    return tables.UNSAFE_OF_SUBCOMMANDS[:1]


def _curl(arguments: Sequence[str]) -> Effect:
    """Return the effect of ``curl``: a read where every option is known to keep it one."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        method = _method_of_curl(word, rest)
        if method is not None:
            if method not in {"GET", "HEAD", "OPTIONS"}:
                return "write" if method in {"POST", "PUT", "PATCH", "DELETE"} else "unknown"
        elif word in {"-o", "--output"} and rest[:1] == ["/dev/null"]:
            del rest[0]
        elif word.startswith("--"):
            name, equals, _ = word.partition("=")
            if name in tables.CURL_LONG_WITH_VALUE:
                del rest[: not equals]
            elif word not in tables.CURL_LONG:
                return "unknown"
        elif word.startswith("-"):
            letters = word[1:].lstrip("".join(tables.CURL_FLAGS))
            if letters and letters[0] not in tables.CURL_WITH_VALUE:
                return "unknown"
            del rest[: len(letters) == 1]
    return "read"


def _method_of_curl(word: str, rest: list[str]) -> str | None:
    """Return the HTTP method that the option *word* gives, and take it from *rest*; None if it gives none."""
    if word in {"-X", "--request"}:
        return rest.pop(0).upper() if rest else ""
    if word.startswith("--request="):
        return word.partition("=")[2].upper()
    return word[2:].upper() if word.startswith("-X") else None


def _sed(arguments: Sequence[str]) -> Effect:
    """Return the effect of ``sed``: a read if its one script prints, deletes or replaces in the output."""
    options = [word for word in arguments if word.startswith("-")]
    scripts = [word for word in arguments if not word.startswith("-")][:1]
    if any(word.startswith("--in-place") or (word[1:2] != "-" and "i" in word) for word in options):
        return "write"
    plain = {"-n", "-E", "-r", "-nE", "-En", "-e", "-ne"}.issuperset(options) and options.count("-e") <= 1
    return "read" if plain and scripts and tables.LINES_OF_SED.fullmatch(scripts[0]) else "unknown"


def _awk(arguments: Sequence[str]) -> Effect:
    options = [word for word in arguments if word.startswith("-")]
    program = " ".join(arguments)
    harmless = tables.HARMLESS_AWK.fullmatch(program) and "system" not in program and "getline" not in program
    return "read" if harmless and all(word.startswith("-F") for word in options) else "unknown"


def _uniq(arguments: Sequence[str]) -> Effect:
    # A second file is written to.
    return "read" if sum(not word.startswith("-") for word in arguments) <= 1 else "unknown"


def _xargs(arguments: Sequence[str]) -> Effect:
    rest = list(arguments)
    while rest and rest[0] in {"-0", "-r", "-n", "-I", "-L", "-I{}", "-n1", "-P"}:
        del rest[: 2 if rest[0] in {"-n", "-I", "-L", "-P"} else 1]
    return _command_effect(rest) if rest else "read"


def _wget(arguments: Sequence[str]) -> Effect:
    printed = "--spider" in arguments or any(word in {"-qO-", "-O-"} for word in arguments)
    return (
        "read"
        if printed and not any(word.startswith(("--post", "--method", "--body")) for word in arguments)
        else "unknown"
    )


def _gh(arguments: Sequence[str]) -> Effect:
    objects = {"pr", "issue", "run", "repo", "release", "workflow", "label", "gist"}
    if len(arguments) > 1 and arguments[0] in objects and arguments[1] in tables.READS_OF_GITHUB:
        return "unknown" if _has_option(arguments, ("-w", "--web", "--watch")) else "read"
    return "read" if arguments[:1] == ["search"] else "unknown"


def _aws(arguments: Sequence[str]) -> Effect:
    named = [word for word in arguments if not word.startswith("-")][:2]
    if len(named) < 2:  # noqa: PLR2004 - a service and an operation
        return "unknown"
    return "read" if named == ["s3", "ls"] or named[1].startswith(("describe-", "list-")) else "unknown"


def _hostname(arguments: Sequence[str]) -> Effect:
    return "unknown" if any(not word.startswith("-") for word in arguments) else "read"


def _env(arguments: Sequence[str]) -> Effect:
    return "unknown" if arguments else "read"


def _ping(arguments: Sequence[str]) -> Effect:
    return "read" if "-c" in arguments else "unknown"


_SPECIAL: dict[str, Callable[[Sequence[str]], Effect]] = {
    "curl": _curl,
    "sed": _sed,
    "awk": _awk,
    "gawk": _awk,
    "uniq": _uniq,
    "xargs": _xargs,
    "wget": _wget,
    "gh": _gh,
    "aws": _aws,
    "hostname": _hostname,
    "env": _env,
    "ping": _ping,
}
