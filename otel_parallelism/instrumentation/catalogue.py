"""The frameworks that can be patched: every module in ``frameworks`` has one, as ``FRAMEWORK``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from . import frameworks

if TYPE_CHECKING:
    from .hooks.patching import Framework

FRAMEWORKS: Final[tuple[Framework, ...]] = tuple(
    import_module(f"{frameworks.__name__}.{module.name}").FRAMEWORK for module in iter_modules(frameworks.__path__)
)
