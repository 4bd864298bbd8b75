"""What readers share: opening files, splitting text into JSON values, times, ids, and OTLP's types."""
