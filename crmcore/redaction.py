"""What nobody should write into a chat: found in a text, and taken out of it.

Two degrees. What opens or pays something (:data:`NEVER_KEPT`: card numbers, security codes, passwords) is
taken out before a message is stored. A bank account or the number of a passport may be what an account
manager has asked for, so the message log keeps it, and only the dialogue engine gets the text without.
Names, streets and telephone numbers are what a chat is about and stay.
"""

import re
from collections.abc import Callable, Collection
from typing import Literal

Kind = Literal["card", "security_code", "password", "bank_account", "identity_number"]
NEVER_KEPT: tuple[Kind, ...] = ("card", "security_code", "password")
KINDS: tuple[Kind, ...] = (*NEVER_KEPT, "bank_account", "identity_number")

PLACEHOLDERS: dict[Kind, str] = {
    "card": "[card number]",
    "security_code": "[security code]",
    "password": "[password]",
    "bank_account": "[bank account]",
    "identity_number": "[identity number]",
}

_ANY_CODE = "000000"  # Six digits stay six digits, so that a code is still understood as one.
# Six digits that are no part of a longer number, a word or an address.
_CODE = re.compile(r"(?<![\w.+@-])(?<!\d )\d(?:[ -]?\d){5}(?![ -]?\d|[\w@])")

# A telephone number begins with a plus, a reference of ours with letters; neither is a card.
_CARD = re.compile(r"(?<![\w+-])[2-6]\d{3}(?:[ .-]?\d){9,15}(?!\d)")
_SECURITY_CODE = re.compile(
    r"\b(?P<what>(?:cvv2?|cvc2?|cvn|csc|security code|pin)(?: number| is)*\W{0,3})(?P<secret>\d{3,4})(?!\d)",
    re.IGNORECASE,
)
# After "password is" only what no plain word looks like; after a colon or an equals sign anything.
_PASSWORD = re.compile(
    r"\b(?P<what>(?:password|passwd|passcode|passphrase|pwd)(?:\s*[:=]\s*|\s+(?:is\s+|was\s+)?))"
    r"(?P<secret>(?<=[:=])\S+|(?<=[:=]\s)\S+|(?=\S*[\d#$%&*@^_~])\S{4,})",
    re.IGNORECASE,
)
_BANK_ACCOUNT = re.compile(r"\b[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?\b")
_IDENTITY_NUMBER = re.compile(
    r"(?P<what>\b(?:passport|identity card|id card|national id|driv(?:ing|er'?s) licen[cs]e|social security"
    r"|ssn|national insurance|pps|tax id)\b\W*(?:(?:number|no|nr|is|my)\b\W*){0,3})"
    r"(?P<secret>[A-Z0-9](?:[ -]?[A-Z0-9]){5,19}\b)"
    r"|(?<![\w-])(?P<bare>\d{3}-\d{2}-\d{4})(?![\w-])",
    re.IGNORECASE,
)


def redact(text: str, kinds: Collection[Kind] = KINDS) -> str:
    """The text with a placeholder for everything of these kinds.

    >>> redact("card 4111 1111 1111 1111, cvv 123, my password is Swordfish9")
    'card [card number], cvv [security code], my password is [password]'
    >>> redact("my password is wrong, ring +353 1 555 0142 about RP-12345")
    'my password is wrong, ring +353 1 555 0142 about RP-12345'
    """
    for kind in kinds:
        pattern, replace = _FINDERS[kind]
        text = pattern.sub(replace, text)
    return text


def redacted_in(text: str) -> list[Kind]:
    """The kinds whose placeholders stand in the text."""
    return [kind for kind in KINDS if PLACEHOLDERS[kind] in text]


def hide_codes(text: str) -> str:
    """The text with every one-time code made the same worthless one.

    >>> hide_codes("it's 12 34-56")
    "it's 000000"
    """
    return _CODE.sub(_ANY_CODE, text)


def _card(found: re.Match[str]) -> str:
    return PLACEHOLDERS["card"] if _has_check_digit(found.group()) else found.group()


def _bank_account(found: re.Match[str]) -> str:
    """The longest beginning that is an account; words of four letters may follow it."""
    written = found.group()
    ends = [gap.start() for gap in re.finditer(r"[ -]|$", written)]
    end = next((end for end in reversed(ends) if _is_bank_account(written[:end])), None)
    return written if end is None else PLACEHOLDERS["bank_account"] + written[end:]


def _is_bank_account(text: str) -> bool:
    """ISO 13616: the first four characters moved to the end, letters as 10 to 35, modulo 97 is 1."""
    account = re.sub(r"[ -]", "", text).upper()
    number = int("".join(str(int(c, 36)) for c in account[4:] + account[:4]))
    return 15 <= len(account) <= 34 and number % 97 == 1


def _identity_number(found: re.Match[str]) -> str:
    if found["bare"] is None and not any(c.isdigit() for c in found["secret"]):
        return found.group()
    return (found["what"] or "") + PLACEHOLDERS["identity_number"]


def _after_its_name(kind: Kind) -> Callable[[re.Match[str]], str]:
    return lambda found: found["what"] + PLACEHOLDERS[kind]


def _has_check_digit(text: str) -> bool:
    """The Luhn check of ISO/IEC 7812, which nine in ten other numbers fail."""
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


_FINDERS: dict[Kind, tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = {
    "card": (_CARD, _card),
    "security_code": (_SECURITY_CODE, _after_its_name("security_code")),
    "password": (_PASSWORD, _after_its_name("password")),
    "bank_account": (_BANK_ACCOUNT, _bank_account),
    "identity_number": (_IDENTITY_NUMBER, _identity_number),
}
