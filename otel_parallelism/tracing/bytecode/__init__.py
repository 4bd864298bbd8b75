"""Reads the bytecode of tools: which variables outside they use, and what they visibly change there."""
