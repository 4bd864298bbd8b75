"""The names of methods and functions that change what they belong to, or write outside of the program."""

from __future__ import annotations

WRITING_METHODS: frozenset[str] = frozenset(
    """
    write_text write_bytes chdir putenv unsetenv mkdir makedirs unlink rmdir rmtree rename symlink_to touch copyfile
    setlocale setcontext tzset umask setdefaulttimeout setrecursionlimit fchdir chroot sethostname
    copytree copy2 copyfileobj to_csv to_parquet to_excel to_sql to_pickle to_feather
    """.split()  # noqa: SIM905 - a list of quoted words would be longer
)
CHANGING_ITEMS: frozenset[str] = frozenset(
    """
    append appendleft extend insert add update setdefault pop popitem popleft remove discard clear sort reverse
    rotate
    """.split()  # noqa: SIM905 - likewise
)
