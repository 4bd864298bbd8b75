"""The comparable values in one piece of content."""

from __future__ import annotations

import msgspec

from .atoms import Atom
from .outcomes import Outcome


class Values(msgspec.Struct):
    """
    The comparable values in one piece of content.

    Attributes:
        tokens: Whether each token is distinctive: a match of an identifier or a long text is no coincidence, a match
            of a small number or a common word may be one.
        whole_leaves: The tokens that are a complete value, not a part of a longer text.
        whole: Whether everything was read.
        outcome: Whether the content, if it is a result, reports a failure or is empty.
        named: Whether each pair of a field's name and its token is distinctive: the token is, or the name is like
            ``room_id``.
        derived: For each form that a value may have been derived from, a longer form that contains it. Of a result,
            only paths and addresses are considered.
        forms: The wanted identity forms of a result's values (see `forms`).
        words: The wanted single words in a result.
        atoms: The values of arguments one by one.
        value: The beginning of a result, or of arguments with a boolean, as plain data.
        readable: Whether the result was parsed and no part of it stands for content.
        plain: The plain texts and numbers of arguments.
        texts: The texts without accents, the keys of results and the longer numbers, as they stand.
        alone: Whether a result is a single text or number.
        instructions: The developer's texts among messages; nothing else of these values is theirs.
    """

    tokens: dict[str, bool]
    whole_leaves: set[str]
    whole: bool
    outcome: Outcome = ""
    named: dict[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    derived: dict[str, str] = msgspec.field(default_factory=dict)
    forms: set[str] = msgspec.field(default_factory=set)
    words: set[str] = msgspec.field(default_factory=set)
    atoms: list[Atom] = msgspec.field(default_factory=list)
    value: object = None
    readable: bool = False
    plain: frozenset[str | float] = frozenset()
    alone: bool = False
    texts: list[str] = []
    instructions: list[str] = []


def single_words(values: Values) -> set[str]:
    """Return every single word in the tokens of *values*."""
    return {word for token in values.tokens for word in token.split(" ")}
