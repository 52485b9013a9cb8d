"""The gateway's own sentences, one file a language; what the bot says otherwise is in ``domain.yml``."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

FALLBACK = "en"


class Wording:
    """Sentences by language and dotted key, with ``{values}`` filled in."""

    def __init__(self, languages: Mapping[str, Mapping[str, str]]) -> None:
        self._languages = languages

    def say(self, language: str, key: str, **values: Any) -> str:
        """The sentence in this language, else in English. An unknown key is a programming error."""
        sentences = self._languages.get(language, {})
        return (sentences.get(key) or self._languages[FALLBACK][key]).format(**values)

    def moment(self, language: str, at: datetime) -> str:
        """A day and time in words; ``at`` is already in the reader's time zone."""
        return self.say(
            language,
            "moment",
            weekday=self.say(language, f"weekdays.{at.weekday()}"),
            day=at.day,
            month=self.say(language, f"months.{at.month}"),
            time=f"{at:%H:%M}",
        )

    def known(self, language: str = FALLBACK) -> frozenset[str]:
        """The keys that this language has a sentence for."""
        return frozenset(self._languages.get(language, {}))


@cache
def load_wording(folder: Path = Path(__file__).parent) -> Wording:
    """Read every ``<language>.yml`` of the folder."""
    reader = YAML(typ="safe")
    return Wording({path.stem: dict(_flat(reader.load(path))) for path in sorted(folder.glob("*.yml"))})


def _flat(node: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
