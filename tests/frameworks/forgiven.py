"""What frameworks' own code warns of, which is no fault of the contract's: filters as pytest's, by contract."""

from __future__ import annotations

FILTERS: dict[str, tuple[str, ...]] = {
    "llama_index": ("ignore:The `__fields__` attribute is deprecated:DeprecationWarning",),
}
