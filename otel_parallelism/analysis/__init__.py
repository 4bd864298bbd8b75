"""The analysis: pure functions from classified spans to turns, and from turns to reports."""
