"""
Installs Debian packages whose program is missing, if this process is root and apt exists.

    python tests/e2e/packages.py PROGRAM=PACKAGE…

Elsewhere it prints what is missing and exits with 0; the tests that need it are skipped with a reason. No package may
start a service, because the service would keep its port after the tests.
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
    """Install what is missing of *wanted*; return 0 also where this process may not install."""
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
    """Keep packages from starting services, unless the machine has its own policy."""
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
