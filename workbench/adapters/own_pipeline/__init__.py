"""A pipeline of the user's own, behind HTTP or as a Python function in a process of its own."""
