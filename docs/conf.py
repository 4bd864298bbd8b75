"""Sphinx's configuration: ``sphinx-build -W docs docs/_build`` writes the site."""

from __future__ import annotations

import importlib.metadata

project = "otel-parallelism"
author = "The otel-parallelism authors"
project_copyright = author
release = importlib.metadata.version("otel-parallelism")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "otel-parallelism"
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes that are documented as members are described once
