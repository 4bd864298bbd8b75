"""The type of options that are a finite number in a range. NaN is in none, and a gate with it would always pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter


class NumberRange(click.FloatRange):
    """A `click.FloatRange` that refuses NaN and infinity."""

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Any:
        """Return *value* as a number; fails if it is not in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not in the range {self._describe_range()}.", param, ctx)
        return number
