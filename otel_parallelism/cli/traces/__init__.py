"""Commands about many turns, and what they share with ``analyze``: which files are read, and how."""
