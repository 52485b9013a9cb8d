"""Signing in and out."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from crmcore.staff import ROLES, Role, SignInRefused, TooManyAttempts
from crmcore.usecases.staff import heartbeat, sign_in, sign_out
from web.staff.pages import HOME, page
from web.staff.session import (
    Staff,
    crm_of,
    drop_cookie,
    require,
    session_from,
    set_cookie,
    token_of,
)

router = APIRouter(include_in_schema=False)
members = APIRouter(include_in_schema=False, dependencies=[Depends(require(*ROLES))])


@router.get("/sign-in")
async def show_sign_in(request: Request, next: str = "") -> Response:
    session = await session_from(request, active=True)
    if session is not None:
        return RedirectResponse(_destination(session.member.role, next), 303)
    return page(request, "sign_in.html", next=next, email="", problem=None)


@router.post("/sign-in")
async def do_sign_in(
    request: Request,
    email: Annotated[str, Form(max_length=320)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2048)] = "",
) -> Response:
    """A form, so that it works before any script does; the origin check stands in for a CSRF token."""
    if not _from_our_own_page(request):
        problem = "This form was sent from another website. Sign in here instead."
        return page(request, "sign_in.html", status=403, next="", email="", problem=problem)
    address = request.client.host if request.client else "unknown"
    try:
        signed_in = await asyncio.to_thread(
            sign_in, crm_of(request), email, password, address, token_of(request)
        )
    except SignInRefused as refusal:
        return page(request, "sign_in.html", status=401, next=next, email=email, problem=str(refusal))
    except TooManyAttempts as refusal:
        answer = page(request, "sign_in.html", status=429, next=next, email=email, problem=str(refusal))
        answer.headers["Retry-After"] = str(int(refusal.retry_after.total_seconds()) + 1)
        return answer
    response = RedirectResponse(_destination(signed_in.session.member.role, next), 303)
    set_cookie(request, response, signed_in.token)
    return response


@members.post("/sign-out", status_code=204)
async def do_sign_out(request: Request) -> Response:
    token = token_of(request)
    if token:
        await asyncio.to_thread(sign_out, crm_of(request), token)
        request.app.state.live.staff_session_ended()
    response = Response(status_code=204)
    drop_cookie(request, response)
    return response


@members.post("/staff/heartbeat", status_code=204)
async def do_heartbeat(request: Request, session: Staff) -> Response:
    """The page is open; with ``X-Background`` it says too that nobody has touched it since the last one."""
    await asyncio.to_thread(heartbeat, crm_of(request), session.member.staff_id)
    return Response(status_code=204)


def _destination(role: Role, wanted: str) -> str:
    """Only a page of the person's own part, so that a link cannot send a fresh sign-in elsewhere."""
    home = HOME[role]
    return wanted if re.fullmatch(re.escape(home) + r"([/?#][^\s\\]*)?", wanted) else home


def _from_our_own_page(request: Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host", "")
