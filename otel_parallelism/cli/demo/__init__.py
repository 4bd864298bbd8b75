"""The agents and the web service that ``otel-parallelism demo`` runs."""
