"""The mutable objects that calls share: which they are, and whether their types are safe to use at once."""
