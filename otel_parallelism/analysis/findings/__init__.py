"""The content of a report: candidates, causes, silencing, savings, advice and the verdict."""
