"""Which call must wait for which earlier one: values, effects, reactions, and the dependency graph they make."""
