"""What a customer wants instead, in "no, I meant the other one"."""

import re

_LEAD_IN = re.compile(
    r"""^(?:
        (?:no|nope|sorry|oops|wait|actually|rather|hang\ on|my\ mistake|correction|ups|uh|i'm\ sorry)\b
      | (?:that'?s|that\ is|it'?s|it\ is|this\ is)\ (?:wrong|not\ right|incorrect|not\ what\ i\ (?:said|meant))\b
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
