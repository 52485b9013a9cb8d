"""What a row of customers says: how to reach them and what they agreed to."""

from typing import get_args

from crmcore.customers import ContactKind, Purpose, UnreadableContact, read_contact
from crmcore.imports.errors import UnreadableValue

LONGEST_NAME = 200
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
_YES = frozenset(
    {"yes", "y", "true", "t", "1", "granted", "opt-in", "opted in", "subscribed", "ja", "j", "x"}
)
_NO = frozenset({"no", "n", "false", "f", "0", "withdrawn", "opt-out", "opted out", "unsubscribed", "nein"})


def read_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > LONGEST_NAME:
        raise UnreadableValue(f"is longer than {LONGEST_NAME} characters")
    return name


def read_reach(kind: ContactKind, text: str) -> tuple[str, str]:
    """The contact and what look-ups compare; the reason of a refusal does not repeat it."""
    try:
        value, normalized = read_contact(kind, text)
    except UnreadableContact as error:
        raise UnreadableValue(f"cannot be read: {error}") from error
    if len(value) > 320:
        raise UnreadableValue("is longer than 320 characters")
    return value, normalized


def read_yes(text: str) -> bool:
    """
    >>> read_yes("Yes"), read_yes("opt-out")
    (True, False)
    """
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise UnreadableValue(f"{text[:20]!r} is neither yes nor no")
