"""Tells what is written for machines from what people say: commands, markup, data, words of programs."""

from __future__ import annotations

import re

# The slash and what looks like it; it counts when no letter or digit stands before it.
_COMMAND = re.compile(r"[\W_]*?[/\u2044\u2215\u2571\u29f8\uff0f][A-Za-z_]|\W*EXTERNAL\s*:")
_DATA = re.compile(r"""[^\w<\[{$%-]*(?:<[A-Za-z!/?]|[\[{]\s*["'\[{]|---\s*\n|[$%#]\{|%\(|\{[{%])""")
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|[A-Za-z]:\\|\\\\|~/|\./)\S*\s*")
# "My name is Noh" says no more than a name, however much the name sounds like an answer.
_INTRODUCTION = re.compile(
    r"\W*(?:hi|hello|hey)?\W*(?:my|the) (?:first |last |full |sur|nick)?name(?:['’]s|s| is)\b",
    re.IGNORECASE,
)
_WORDS_OF_PROGRAMS = frozenset({"null", "nul", "nil", "nan", "undefined", "void", "inf", "-inf", "infinity"})


def is_for_machines(text: str) -> bool:
    """Whether a text begins as a command, as markup or as data, or is an address or a word of programs.

    >>> [is_for_machines(t) for t in ("/restart", "<b>hi</b>", "null", "the red/blue one :/")]
    [True, True, True, False]
    """
    if text.strip().lower() in _WORDS_OF_PROGRAMS:
        return True
    return bool(_COMMAND.match(text) or _DATA.match(text) or _ADDRESS.fullmatch(text))


def is_no_answer(text: str) -> bool:
    """Whether a text is neither a yes nor a no, because it says a name or holds no letter at all.

    >>> [is_no_answer(t) for t in ("my surname is Noh", "-0", "no")]
    [True, True, False]
    """
    return bool(_INTRODUCTION.match(text)) or not any(c.isalpha() for c in text)
