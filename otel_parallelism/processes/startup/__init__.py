"""A folder for ``PYTHONPATH``: each Python process that starts with it imports its ``sitecustomize``."""
