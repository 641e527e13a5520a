"""What the commands report to a person instead of a traceback."""


class EmbeddedError(Exception):
    """Something a person can mend; the message says what, where, and what to do."""
