"""Letters that the firm sends by itself, such as a one-time code; their words are in ``wording/``."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from ruamel.yaml import YAML

from crmcore.errors import CrmError

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True)
class Letter:
    kind: str
    recipient: str
    subject: str
    body: str


@dataclass(frozen=True)
class QueuedLetter:
    """One row of ``outbox``."""

    outbox_id: int
    kind: str
    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None


class UnknownLetter(CrmError):
    """No wording for this kind of letter."""

    def __init__(self, kind: str, language: str) -> None:
        super().__init__(f"crmcore/wording/{language}.yml has no letter {kind!r}")


def write_letter(kind: str, language: str, recipient: str, **values: object) -> Letter:
    """The letter in the reader's language, else in English.

    Raises
    ------
    UnknownLetter : there is no wording for it.
    KeyError : a placeholder of the wording has no value.
    """
    wording = _wording(language) or _wording(FALLBACK_LANGUAGE)
    if kind not in wording:
        raise UnknownLetter(kind, language)
    text = wording[kind]
    # A line break in a value would start a new header in a mail's subject.
    plain = {name: " ".join(str(value).split()) for name, value in values.items()}
    # Somebody whose name is not known is greeted without one.
    body = text["body"] if plain.get("name") else text["body"].replace(" {name}", "")
    return Letter(kind, recipient, text["subject"].format(**plain), body.format(**plain))


@cache
def _wording(language: str) -> dict[str, dict[str, str]]:
    source = files("crmcore") / "wording" / f"{language}.yml"
    if not source.is_file():
        return {}
    loaded: dict[str, dict[str, str]] = YAML(typ="safe").load(source.read_text(encoding="utf-8"))
    return loaded
