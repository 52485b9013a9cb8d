"""The widget's files as a browser gets them: minified once per process, with a validator.

The sources are written to be read; a customer's phone needs no comments. This happens while serving,
so there is no build step and nothing generated in the repository.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rcssmin import cssmin
from rjsmin import jsmin

WEB = Path(__file__).parents[1]
FILES = {
    "widget-loader.js": WEB / "widget/static/widget-loader.js",
    "widget.js": WEB / "widget/static/widget.js",
    "talk.js": WEB / "widget/static/talk.js",
    "stream.js": WEB / "static/stream.js",
    "widget.css": WEB / "widget/static/widget.css",
    "tokens.css": WEB / "static/tokens.css",
}


@dataclass(frozen=True)
class ServedFile:
    text: str
    media_type: str
    etag: str


@cache
def served_file(name: str) -> ServedFile:
    """One of ``FILES``; a KeyError for any other name."""
    source = FILES[name].read_text(encoding="utf-8")
    script = name.endswith(".js")
    text = str(jsmin(source) if script else cssmin(source))
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    return ServedFile(text, "text/javascript" if script else "text/css", f'"{digest}"')
