"""What all dialects use: the facts of one span, decoding, envelopes, chat messages, tool calls."""
