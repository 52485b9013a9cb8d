"""The root of every error that the core raises on purpose."""


class CrmError(Exception):
    """Something that the caller can understand and mend; the message says what, where and how."""
