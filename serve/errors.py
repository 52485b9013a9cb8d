"""Why the product cannot start, each in one sentence that says how to mend it."""


class CannotStart(Exception):
    """Printed as it is, without a traceback."""
