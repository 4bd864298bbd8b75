"""The agents and the web server of ``otel-parallelism demo``."""
