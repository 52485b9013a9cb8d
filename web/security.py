"""The headers that every answer carries: what a browser may load, embed, remember and tell others."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PUBLIC_FILES = ("/static/", "/widget.js", "/widget/")  # The same for everybody, so a browser may keep them.
EMBEDDABLE = "/widget"  # The one page that other sites may put in a frame.


class SecurityHeaders:
    """Adds the headers to every answer, errors included.

    Scripts and styles come from our own files only: nothing inline, no ``eval``. The widget is a frame of
    our own origin, so no answer names another origin in a CORS header, but for those of ``/socket.io/``
    to the firm's own pages.
    """

    def __init__(self, app: ASGIApp, embedding_origins: tuple[str, ...]) -> None:
        self._app = app
        self._page = _policy("'none'")
        self._widget = _policy(" ".join(("'self'", *embedding_origins)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(MutableHeaders(scope=message), path)
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _add(self, headers: MutableHeaders, path: str) -> None:
        embeddable = path == EMBEDDABLE
        public = path.startswith(PUBLIC_FILES)
        headers["Content-Security-Policy"] = self._widget if embeddable else self._page
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=()"
        headers["Cross-Origin-Resource-Policy"] = "cross-origin" if public else "same-origin"
        headers.setdefault("Cache-Control", "no-cache" if public else "no-store")
        if not embeddable:
            headers["X-Frame-Options"] = "DENY"
            headers["Cross-Origin-Opener-Policy"] = "same-origin"


def _policy(frame_ancestors: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "frame-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            f"frame-ancestors {frame_ancestors}",
        )
    )
