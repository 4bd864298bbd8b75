"""Commands that read source code."""
