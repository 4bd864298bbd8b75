"""What frameworks' own code warns of, which is no fault of the contract's: filters as pytest's, by contract."""

from __future__ import annotations

FILTERS: dict[str, tuple[str, ...]] = {
    "semantic_kernel": ("ignore:The `__get_pydantic_core_schema__` method:DeprecationWarning",),
    "crewai": (
        "ignore:Cannot set an attribute on 'crewai.rag':ImportWarning",
        "ignore:(function_calling_llm is )?deprecated:DeprecationWarning:crewai[.].*",
    ),
    # Its workflows look for their steps among all attributes of an agent, those included that pydantic has given up.
    "llama_index": ("ignore::pydantic.PydanticDeprecationWarning",),
}
