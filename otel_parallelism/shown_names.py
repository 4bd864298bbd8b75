"""Names and texts from untrusted sources as they are shown: on one line, harmless in a terminal and a log, and cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .patterns import LazyPattern

if TYPE_CHECKING:
    import re

_LONGEST_NAME: Final = 56
_LONGEST_TEXT: Final = 1_000
_COMMAND: Final = LazyPattern(r"(?m)^[^\S\n]*:(?=:)|##(?=\w{0,40}\[)")
_HASH: Final = LazyPattern(r"(?<=#)#(?=\w{0,40}\[)")
"""
What runners of continuous integration act on in a log.

GitHub's takes lines that begin with ``::`` after any white space, and ``##[`` anywhere, for commands. Azure Pipelines
takes ``##vso[``, and TeamCity ``##teamcity[``.
"""


def printable(name: str) -> str:
    r"""
    Return *name* with control characters and commands replaced, because names come from untrusted files.

    >>> printable("fetch\x1b[2J\n")
    'fetch?[2J?'
    """
    if name.isprintable():
        return without_commands(name)
    return without_commands("".join(character if character.isprintable() else "?" for character in name))


def encodable(text: str) -> str:
    """Return *text* with U+FFFD for halves of surrogate pairs, which UTF-8 does not have."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def without_middle(name: str, longest: int = _LONGEST_NAME) -> str:
    """
    Return *name* without its middle if it is very long: the start and the end distinguish names best.

    >>> without_middle("mcp__a_server_with_a_long_name__" + "and_a_tool_with_a_longer_one")
    'mcp__a_server_with_a_long_na…and_a_tool_with_a_longer_one'
    """
    half = longest // 2
    return name if len(name) <= longest else f"{name[:half]}…{name[-half:]}"


def shown_name(name: str) -> str:
    r"""
    Return the name of a tool, an agent or a turn as reports show it: printable, and without the middle of a long one.

    >>> shown_name("fetch\n")
    'fetch?'
    """
    return printable(without_middle(name))


def pair_names(earlier: str, later: str) -> tuple[str, str]:
    """
    Return how a sentence names two calls of these tools, which it has to tell apart if the tool is the same.

    >>> pair_names("search", "fetch"), pair_names("search", "search")
    (('search', 'fetch'), ('an earlier search', 'a later search'))
    """
    return (f"an earlier {earlier}", f"a later {later}") if earlier == later else (earlier, later)


def shown_text(text: str) -> str:
    """Return a sentence with names in it as reports show it: printable, and without the middle of a very long one."""
    return printable(without_middle(text, _LONGEST_TEXT))


def without_commands(text: str) -> str:
    r"""
    Return *text* with a character replaced in each command for a runner of continuous integration.

    >>> without_commands(" ::add-mask::a b\nModule::name ##vso[task.complete]")
    ' ?:add-mask::a b\nModule::name #?vso[task.complete]'
    """
    return _COMMAND.sub(_inert, text) if "::" in text or "##" in text else text


def escaped_commands(document: str) -> str:
    r"""
    Return *document*, which is JSON, with an escape for a character of each command for such a runner.

    No line of JSON begins with ``::``.

    >>> escaped_commands('["##[group]", "::debug::x"]')
    '["#\\u0023[group]", "::debug::x"]'
    """
    return _HASH.sub(r"\\u0023", document)


def _inert(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}?"
