"""Works with OpenTelemetry's SDK: span records, results on spans, the tracer, the sampler, and private parts."""
