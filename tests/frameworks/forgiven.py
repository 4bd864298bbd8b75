"""Warnings of the frameworks' own code that tests ignore: filters in pytest's form, by contract."""

from __future__ import annotations

FILTERS: dict[str, tuple[str, ...]] = {
    "semantic_kernel": ("ignore:The `__get_pydantic_core_schema__` method:DeprecationWarning",),
    "crewai": (
        "ignore:Cannot set an attribute on 'crewai.rag':ImportWarning",
        "ignore:(function_calling_llm is )?deprecated:DeprecationWarning:crewai[.].*",
    ),
    # Its workflows search all attributes of an agent for steps, including deprecated ones of pydantic.
    "llama_index": ("ignore::pydantic.PydanticDeprecationWarning",),
}
