"""Puts the staff's pages into the app."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

import web.console.routes
import web.staff.routes
import web.workspace.routes
from web.staff.pages import HOME, WEB, page
from web.staff.session import CsrfRefused, NotSignedIn, WrongRole, session_from


def mount_staff(app: FastAPI) -> None:
    """Add sign-in, workspace, console and operator page; ``app.state`` has ``crm`` and ``live``.

    Call it before ``/static`` is mounted: the parts' own files lie below that path.
    """
    for part in ("staff", "workspace", "console"):
        files = StaticFiles(directory=WEB / part / "static")
        app.mount(f"/static/{part}", files, name=f"static-{part}")
    app.include_router(web.staff.routes.router)
    app.include_router(web.staff.routes.members)
    app.include_router(web.workspace.routes.router)
    app.include_router(web.console.routes.router)
    app.include_router(web.console.routes.operator)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(WrongRole, _wrong_role)
    app.add_exception_handler(CsrfRefused, _csrf_refused)


async def _not_signed_in(request: Request, _error: Exception) -> Response:
    if _wants_page(request):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)
    return _refusal(401, "not_signed_in", "Your session has ended. Sign in again; your drafts are kept.")


async def _wrong_role(request: Request, error: Exception) -> Response:
    assert isinstance(error, WrongRole)
    if _wants_page(request):
        session = await session_from(request, active=True)
        return page(request, "not_yours.html", session, status=403, home=HOME[error.role])
    return _refusal(403, "wrong_role", str(error))


async def _csrf_refused(_request: Request, _error: Exception) -> Response:
    return _refusal(403, "csrf", "This page is out of date. Reload it and try again; your drafts are kept.")


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)
