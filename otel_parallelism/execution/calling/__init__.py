"""Makes one call: rate, timeout, retries, context, worker thread and span."""
