"""JSON formats other than OTLP; a module of this folder with a ``FORMAT`` is one."""
