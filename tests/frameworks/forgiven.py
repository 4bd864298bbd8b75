"""What frameworks' own code warns of, which is no fault of the contract's: filters as pytest's, by contract."""

from __future__ import annotations

FILTERS: dict[str, tuple[str, ...]] = {
    "semantic_kernel": ("ignore:The `__get_pydantic_core_schema__` method:DeprecationWarning",),
}
