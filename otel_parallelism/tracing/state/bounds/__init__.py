"""Bounds what open turns hold: the calls they keep, and the memory of their evidence."""
