"""What happens live: turns are followed while they run, from decorated calls and from everybody's spans."""

from __future__ import annotations
