"""A server that speaks the protocols of model providers and answers with the contract's scenarios."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from frameworks import scenarios

if TYPE_CHECKING:
    from types import ModuleType

SERVER = Path(__file__).parent.parent / "fixtures" / "record" / "server.py"


def start() -> str:
    """Start the server in a daemon thread and return its base URL, without the version part."""
    url: str = _server().start()
    return url


def _server() -> ModuleType:
    # The recording server imports its script under this name.
    sys.modules["script"] = scenarios
    spec = importlib.util.spec_from_file_location("contract_server", SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
