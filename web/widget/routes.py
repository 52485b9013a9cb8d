"""``/widget.js`` (the loader), ``/widget`` (the frame) and the files that the frame loads."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from web.widget.files import FILES, served_file

HERE = Path(__file__).parent
MESSAGE_LIMIT = 2000  # Characters; the gateway refuses more.

templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
)
templates.policies["json.dumps_kwargs"] = {"separators": (",", ":")}


def router() -> APIRouter:
    """Reads ``app.state.crm.firm`` for the firm's name, its assistant, its languages and its origins."""
    routes = APIRouter()
    routes.add_api_route("/widget.js", loader, methods=["GET"])
    routes.add_api_route("/widget", frame, methods=["GET"])
    routes.add_api_route("/widget/{name}", file, methods=["GET"])
    return routes


async def loader(request: Request) -> Response:
    return _serve(request, "widget-loader.js")


async def file(request: Request, name: str) -> Response:
    return _serve(request, name) if name in FILES else Response(status_code=404)


async def frame(request: Request, lang: str = "") -> HTMLResponse:
    """The chat page. Only the firm's own origins may embed it (a header) or talk to it (``config``)."""
    firm = request.app.state.crm.firm
    language = choose_language(lang, firm.languages)
    words = words_in(language)
    config: dict[str, Any] = {
        "words": words["talk"],
        "firm": firm.name,
        "assistant": firm.voice.assistant,
        "limit": MESSAGE_LIMIT,
        "origins": firm.origins,
    }
    title = words["talk"]["chat"].format(firm=firm.name)
    page = templates.get_template("widget.html").render(
        words=words["frame"], title=title, language=language, config=config
    )
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


def choose_language(wanted: str, spoken: tuple[str, ...]) -> str:
    """The firm's language nearest to ``wanted`` (``en-GB`` is met by ``en``), else the firm's first."""
    short = wanted.lower().split("-")[0]
    return next((name for name in (short, spoken[0]) if name in spoken and _words_path(name).exists()), "en")


@cache
def words_in(language: str) -> dict[str, dict[str, str]]:
    """Every word of the widget's own in one language: what stands in the frame, and what the talk needs."""
    words: dict[str, dict[str, str]] = json.loads(_words_path(language).read_text(encoding="utf-8"))
    return words


def _words_path(language: str) -> Path:
    return HERE / "words" / f"{language}.json"


def _serve(request: Request, name: str) -> Response:
    served = served_file(name)
    headers = {"ETag": served.etag, "Cache-Control": "no-cache"}
    if request.headers.get("If-None-Match") == served.etag:
        return Response(status_code=304, headers=headers)
    return Response(served.text, media_type=served.media_type, headers=headers)
