"""The numbers of turns as SQL of ClickHouse, over the table that the OpenTelemetry Collector writes."""
