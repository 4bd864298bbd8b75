"""``python -m otel_parallelism`` runs the ``otel-parallelism`` command."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
