"""The analysis on Spark: of a table of spans, and of a folder to which files of spans are added."""
