"""The widget's files as a browser gets them: without comments and indentation, and with a validator.

The sources are written to be read; a customer's phone needs none of that. Removing whole comment
lines and leading blanks keeps every line break, so an error in a browser still names a short line.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WEB = Path(__file__).parents[1]
FILES = {
    "widget-loader.js": WEB / "widget/static/widget-loader.js",
    "widget.js": WEB / "widget/static/widget.js",
    "talk.js": WEB / "widget/static/talk.js",
    "stream.js": WEB / "static/stream.js",
    "widget.css": WEB / "widget/static/widget.css",
    "tokens.css": WEB / "static/tokens.css",
}
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}

# A comment that begins a line, whether // to its end or /* over several lines.
COMMENT_LINES = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)\n", re.MULTILINE | re.DOTALL)
BLANKS_AROUND_LINES = re.compile(r"\s*\n\s*")
BLANKS_AROUND_CSS_MARKS = re.compile(r"\s*([{};,])\s*|(?<=:) (?! )")


@dataclass(frozen=True)
class ServedFile:
    text: str
    media_type: str
    etag: str


def squeeze(source: str, *, css: bool = False) -> str:
    """``source`` without its comment lines and indentation; a style sheet also loses other idle blanks."""
    text = BLANKS_AROUND_LINES.sub("\n", COMMENT_LINES.sub("", source)).strip()
    return BLANKS_AROUND_CSS_MARKS.sub(r"\1", text) if css else text


@cache
def served_file(name: str) -> ServedFile:
    """One of ``FILES``; a KeyError for any other name."""
    path = FILES[name]
    text = squeeze(path.read_text(encoding="utf-8"), css=path.suffix == ".css")
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    return ServedFile(text, MEDIA_TYPES[path.suffix], f'"{digest}"')
