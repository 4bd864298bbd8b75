"""
Finds calls that start a command of the system, draw from a random generator or move on in a file that others share.

What a command does stands in no source, unless its words are constant and it is known to read. A draw changes the
generator: with a seed, the next draw gets another number when the order is another one. What is read from a descriptor
of the system, such as a pipe, the next one to read does not get.
"""

from __future__ import annotations

import ast
import shlex
from typing import TYPE_CHECKING, cast

from otel_parallelism.source.known_functions import dotted

from .own_objects import is_fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from otel_parallelism.source.functions import Function, SourceFile

_STARTERS = frozenset(
    """
    subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.Popen
    subprocess.getoutput subprocess.getstatusoutput os.system os.popen os.posix_spawn os.posix_spawnp
    asyncio.create_subprocess_exec asyncio.create_subprocess_shell asyncio.subprocess.create_subprocess_exec
    asyncio.subprocess.create_subprocess_shell anyio.run_process anyio.open_process trio.run_process pexpect.run
    pexpect.spawn
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)
_WORD_BY_WORD = "create_subprocess_exec"
# Without a value, any word may stand there. No expression of sed or awk with these marks is known to read.
_ANY_WORD = "|>@"
_GENERATORS = frozenset(
    """
    random.Random numpy.random.default_rng numpy.random.Generator numpy.random.RandomState
    """.split()  # noqa: SIM905 - likewise
)
_DRAWS = frozenset(
    """
    random randint randrange choice choices sample shuffle uniform triangular gauss normalvariate lognormvariate
    expovariate betavariate gammavariate paretovariate weibullvariate vonmisesvariate getrandbits randbytes seed
    setstate integers permutation permuted normal standard_normal rand randn random_sample random_integers bytes
    poisson exponential binomial
    """.split()  # noqa: SIM905 - likewise
)
_MOVING_ON = frozenset({"os.read", "os.readv", "os.lseek", "os.write", "os.writev"})
_SHARED_GENERATORS = ("random.", "numpy.random.")


def qualified_names(file: SourceFile) -> dict[str, str]:
    """Return what each name that *file* imports stands for: ``numpy`` for ``np``, ``random.choice`` for ``choice``."""
    key = "qualified names"
    if key not in file.proofs:
        known: dict[str, str] = {}
        for node in file.import_statements:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    first = alias.name.partition(".")[0]
                    known[alias.asname or first] = alias.name if alias.asname else first
            elif not node.level:
                known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
        file.proofs[key] = known
    return cast("dict[str, str]", file.proofs[key])


def starts_command(call: ast.Call, names: dict[str, str], reads: Callable[[str], bool]) -> bool:
    """
    Return whether *call* starts a command that is not known to read.

    Args:
        call: The call, or one that is handed the function to be called, such as ``asyncio.to_thread``.
        names: What the imported names stand for.
        reads: Returns whether a shell command only reads.
    """
    functions = [call.func, *call.args]
    at = next((at for at, one in enumerate(functions) if _qualified(one, names) in _STARTERS), -1)
    if at < 0:
        return False
    name, words = _qualified(functions[at], names), call.args[at:]
    if name.endswith(_WORD_BY_WORD):
        command = _command_of(words)
    elif words and isinstance(words[0], (ast.List, ast.Tuple)):
        command = _command_of(words[0].elts)
    else:
        command = _text_of(words[0]) if words else None
    return command is None or not reads(command)


def shared_generators(file: SourceFile) -> frozenset[str]:
    """Return the names that the module of *file* binds to a random generator."""
    names = qualified_names(file)
    return frozenset(
        target.id
        for statement in file.tree.body
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and isinstance(statement.value, ast.Call)
        if _qualified(statement.value.func, names) in _GENERATORS
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    )


def draws(call: ast.Call, names: dict[str, str], generators: frozenset[str]) -> bool:
    """
    Return whether *call* draws from, or seeds, a random generator that others share.

    Args:
        call: The call.
        names: What the imported names stand for.
        generators: The names of the generators of the module.
    """
    name = _qualified(call.func, names)
    owner, _, method = name.rpartition(".")
    return method in _DRAWS and (
        name.startswith(_SHARED_GENERATORS)
        or owner in generators
        or (owner.startswith(("self.", "cls.")) and owner.rpartition(".")[2].strip("_") in {"rng", "random", "rand"})
    )


def moves_on(call: ast.Call, names: dict[str, str], function: Function) -> bool:
    """
    Return whether *call*, made in *function*, moves on in a descriptor of the system that *function* did not open.

    Args:
        call: The call.
        names: What the imported names stand for.
        function: The function that makes it.
    """
    return _qualified(call.func, names) in _MOVING_ON and not all(is_fresh(one, function) for one in call.args[:1])


def _qualified(expression: ast.expr, names: dict[str, str]) -> str:
    first, dot, rest = dotted(expression).partition(".")
    return f"{names.get(first, first)}{dot}{rest}"


def _command_of(words: Iterable[ast.expr]) -> str | None:
    """Return *words* as a shell command, any word for one that is not constant; None if their number is not known."""
    found = []
    for word in words:
        if isinstance(word, ast.Starred):
            return None
        found.append(_text_of(word) or _ANY_WORD)
    return shlex.join(found) if found else None


def _text_of(expression: ast.expr) -> str | None:
    value = expression.value if isinstance(expression, ast.Constant) else None
    return value if isinstance(value, str) else None
