"""What a report tells: estimated savings, causes, advice, silencing, and the verdict."""
