"""Finds which calls must wait for which earlier ones, from values, effects, failures and declarations."""
