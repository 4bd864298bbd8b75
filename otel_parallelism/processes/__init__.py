"""Follows the child processes of a program that ``otel-parallelism run`` started, and collects their reports."""
