"""Everything that touches OpenTelemetry's SDK: span records, results on spans, the tracer, the sampler."""
