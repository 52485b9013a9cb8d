"""What may be wrong with a file as a whole; single rows are refused one by one, with their reasons."""

from crmcore.errors import CrmError


class UnreadableFile(CrmError):
    """The file cannot be read as a table; nothing was imported."""


class WrongMapping(CrmError):
    """What the columns were said to mean does not fit the file; nothing was imported."""


class SameRecordsAgain(CrmError):
    """Most of the new records are in the database already, known under other ids; nothing was imported."""


class UnreadableValue(Exception):
    """One value cannot be read; the message goes on after the value's name: ``is no number``."""
