"""Makes one call: its rate, timeout, retries, context, worker thread and span."""
