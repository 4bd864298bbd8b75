"""
Installs the Debian packages of which a program is missing, where that can be done unasked: as root, with apt.

    python tests/e2e/packages.py PROGRAM=PACKAGE…

Elsewhere it says what is missing and leaves: the tests that need it are skipped, and say so too. No package may start
a service: it would hold its usual port, and nobody would stop it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POLICY = Path("/usr/sbin/policy-rc.d")
APT = ("apt-get", "-q", "-o", "DPkg::Lock::Timeout=600")


def main(wanted: Sequence[str]) -> int:
    """Install what is missing of *wanted*; 0 also where that is not for us to do."""
    missing = [package for program, _, package in (each.partition("=") for each in wanted) if not shutil.which(program)]
    if not missing:
        return 0
    if os.geteuid() != 0 or shutil.which(APT[0]) is None:
        print(f"missing, and not installed without root and apt: {', '.join(missing)}")
        return 0
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services():
        subprocess.run([*APT, "update"], check=True, env=environment)  # noqa: S603 - fixed but for names of packages
        subprocess.run([*APT, "install", "-y", "--no-install-recommends", *missing], check=True, env=environment)  # noqa: S603 - as above
    return 0


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """Refuse the start of any service by a package, unless the machine has a policy of its own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
