"""
Draws docstrings and sentences of the documentation at random, and finds words that make prose hard to read.

``python tests/prose.py --seed 7`` prints 30 of each; a test fails for each riddle.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
RIDDLES = re.compile(
    r"\b(whoever|somebody|nobody|of which|(?:is|are|was|were) told|tells? of|of its own accord|the matter with"
    r"|none of its business|for good measure)\b",
    re.IGNORECASE,
)
WORD_LISTS = re.compile(r"\"[\w']+\"|\"{3}\n[\w'\s-]+\"{3}")
"""Data, and no prose: a single word, or lines of words without punctuation."""

NODES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def modules() -> list[Path]:
    """Return the package's modules."""
    return sorted((ROOT / "otel_parallelism").rglob("*.py"))


def documents() -> list[Path]:
    """Return README.md and the other documents."""
    top = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    return [*(ROOT / name for name in top), *sorted((ROOT / "docs").rglob("*.md"))]


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield each docstring of the package with its place."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, NODES) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}", text


def sentences() -> Iterator[tuple[str, str]]:
    """Yield each sentence of the documents with its place: no code, no tables, no headings."""
    for path in documents():
        text = re.sub(r"^```.*?^```|<!--.*?-->", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        paragraphs = (part for part in re.split(r"\n\s*\n|\n(?=[-\d])", text) if not re.match(r"\s*[|#<:]", part))
        for paragraph in paragraphs:
            for sentence in re.split(r"(?<=[.:?])\s+(?=[A-Z`*\[])", " ".join(paragraph.split())):
                if len(sentence.split()) > 3:
                    yield path.relative_to(ROOT).as_posix(), sentence


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the comments and strings of a module with their lines."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type in {tokenize.COMMENT, tokenize.STRING} and WORD_LISTS.fullmatch(token.string) is None:
                yield token.start[0], token.string


def riddles() -> Iterator[str]:
    """Yield each place with a word that makes prose hard to read."""
    for path in modules():
        for line, text in prose(path):
            for found in RIDDLES.finditer(text):
                below = text.count("\n", 0, found.start())
                yield f"{path.relative_to(ROOT)}:{line + below}: {found[0]}"
    for name, text in sentences():
        for found in RIDDLES.finditer(text):
            yield f"{name}: {found[0]}: {text[:80]}"


def main() -> None:
    """Print a random draw, then the riddles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--number", type=int, default=30)
    parser.add_argument("--riddles", action="store_true", help="print only the words that make prose hard to read")
    options = parser.parse_args()
    if not options.riddles:
        draw = random.Random(options.seed)  # noqa: S311 - a sample, no secret
        for place, text in [
            *draw.sample(list(docstrings()), options.number),
            *draw.sample(list(sentences()), options.number),
        ]:
            print(f"{place}\n    {text.replace(chr(10), chr(10) + '    ')}\n")
    print("\n".join(riddles()))


if __name__ == "__main__":
    main()
