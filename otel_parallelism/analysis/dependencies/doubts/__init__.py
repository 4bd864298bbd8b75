"""Doubts about independence where no value is passed on: the model may have had to see a result before it asked."""
