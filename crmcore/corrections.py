"""What a customer wants instead, in "no, I meant the other one"."""

import re

_LEAD_IN = re.compile(
    r"""^(?:
        (?:no|nope|sorry|oops|wait|actually|rather|hang\ on|my\ mistake|correction|ups|uh|i'm\ sorry)\b
      | (?:that'?s|that\ is|it'?s|it\ is)\ (?:wrong|not\ right|incorrect|not\ what\ i\ (?:said|meant))\b
      | (?:i\ )?(?:actually\ |really\ )?(?:meant|mean|wanted)(?:\ to\ (?:say|write|type))?\b
      | (?:i\ )?(?:said|typed|wrote)\b
      | (?:it\ should|should|must|has\ to)\ (?:be|say)\b
      | (?:change|correct|make)\ (?:it|that|this)(?:\ to)?\b
      | not\ that(?:\ one)?\b
      | [\s,.:;!–-]+
    )+""",
    re.IGNORECASE | re.VERBOSE,
)


def corrected_words(text: str) -> str:
    """The words without the phrase that says "this is a correction"; empty when nothing else was said.

    >>> corrected_words("no, I meant it is too small")
    'it is too small'
    >>> corrected_words("No sorry, that's wrong")
    ''
    """
    return _LEAD_IN.sub("", text.strip()).strip(" .,;!")


_DECLINES = re.compile(
    r"(?:(?:just|please|can we|let'?s|i'?d|i would|i)\s+)*"
    r"(?:skip|pass|rather not(?: say)?|prefer not to(?: say)?|no (?:particular |special )?reason|no comment"
    r"|don'?t want to (?:say|answer)|none of your business)(?:\s+(?:it|that|this|the question|please))*",
    re.IGNORECASE,
)


def declines(text: str) -> bool:
    """Whether the words say that a question will not be answered, and nothing else.

    >>> declines("skip it please"), declines("I'd rather not say"), declines("skip the bass, it hums")
    (True, True, False)
    """
    return _DECLINES.fullmatch(text.strip(" .!,")) is not None
