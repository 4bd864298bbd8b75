"""The frameworks that can be patched: each module in ``frameworks`` defines one, as ``FRAMEWORK``."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from . import frameworks

if TYPE_CHECKING:
    from .hooks.patching import Framework


def _discovered() -> list[Framework]:
    modules = (import_module(f"{frameworks.__name__}.{module.name}") for module in iter_modules(frameworks.__path__))
    return sorted((module.FRAMEWORK for module in modules), key=lambda framework: framework.name)


FRAMEWORKS: Final[tuple[Framework, ...]] = tuple(_discovered())
"""All frameworks, by name. Their order does not matter for the patches: no function is patched by two of them."""
