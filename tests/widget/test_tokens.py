"""The contrast that the head of ``tokens.css`` promises, measured as WCAG 2.2 defines it."""

import re
from itertools import product
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "web/static"
TOKENS = (STATIC / "tokens.css").read_text() + (STATIC / "base.css").read_text()
GROUNDS = ["bg", "surface", "sunken"]
TONES = ["brand", "person", "ok", "warn", "danger", "info", "mvc", "mgc", "bz", "core"]


def colour(name: str, theme: str) -> str:
    """The hex digits of a token in one theme, following one level of ``var()``."""
    found = re.search(rf"--{name}: (?:light-dark\(#(\w+), #(\w+)\)|var\(--([\w-]+)\))", TOKENS)
    assert found, f"tokens.css has no --{name} written as light-dark(#…, #…)"
    light, dark, other = found.groups()
    if other:
        return colour(other, theme)
    digits = light if theme == "light" else dark
    return digits if len(digits) == 6 else "".join(d * 2 for d in digits)


def luminance(digits: str) -> float:
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str, theme: str) -> float:
    a, b = sorted((luminance(colour(one, theme)), luminance(colour(other, theme))), reverse=True)
    return (a + 0.05) / (b + 0.05)


PROMISES = [
    *((text, ground, 12.0) for text, ground in product(["text"], GROUNDS)),
    *((text, ground, 6.0) for text, ground in product(["text-2"], GROUNDS)),
    *((text, ground, 4.5) for text, ground in product(["text-3"], GROUNDS)),
    *((f"{tone}-text", ground, 4.5) for tone, ground in product(TONES, GROUNDS)),
    *((f"{tone}-text", f"{tone}-soft", 4.5) for tone in TONES),
    ("text", "person-soft", 4.5),
    ("text", "brand-soft", 4.5),
    ("on-brand", "brand", 4.5),
    ("on-brand", "brand-hover", 4.5),
    ("own-text", "own", 4.5),
    *((mark, ground, 3.0) for mark, ground in product(["edge", "focus", "brand"], GROUNDS)),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_promised_pair_of_colours_reaches_its_contrast(theme: str) -> None:
    weak = [
        f"{a} on {b}: {contrast(a, b, theme):.2f} < {least}"
        for a, b, least in PROMISES
        if contrast(a, b, theme) < least
    ]
    assert weak == []
