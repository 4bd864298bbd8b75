"""``TaskGraph``: tasks that start as soon as the tasks they depend on have ended."""
