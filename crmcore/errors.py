"""The root of every error that the core raises on purpose."""


class CrmError(Exception):
    """Something that the caller can understand and mend; the message says what, where and how."""


class StoreUnavailable(CrmError):
    """The database cannot be reached or cannot work now; nothing was written, and trying again is right."""
