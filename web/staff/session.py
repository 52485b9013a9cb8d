"""Who is asking: the session cookie, the role guard and the CSRF check, in one dependency.

A router of staff pages names its roles once, in its own ``dependencies``; so no route can forget.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Response

from crmcore.crm import Crm
from crmcore.staff import SESSION_LIMIT, Role, StaffSession
from crmcore.usecases.staff import session_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"

# What a browser asks on its own, while nobody touches it, does not keep a session awake.
BACKGROUND_HEADER = "X-Background"


class NotSignedIn(Exception):
    """No session, or one that has ended."""


class WrongRole(Exception):
    """Signed in, but this page belongs to somebody else's work."""

    def __init__(self, role: Role) -> None:
        self.role = role
        super().__init__(f"This page is not for the role {role}.")


class CsrfRefused(Exception):
    """A write that did not come from one of our own pages."""


def crm_of(request: Request) -> Crm:
    crm: Crm = request.app.state.crm
    return crm


def cookie_name(request: Request) -> str:
    """With TLS the ``__Host-`` prefix, by which browsers let no sibling domain plant the cookie."""
    return "__Host-rapport_staff" if request.url.scheme == "https" else "rapport_staff"


def token_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request))


def set_cookie(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        cookie_name(request),
        token,
        max_age=int(SESSION_LIMIT.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def drop_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(cookie_name(request), path="/", httponly=True, samesite="lax")


async def session_from(request: Request, *, active: bool) -> StaffSession | None:
    token = token_of(request)
    if not token:
        return None
    return await asyncio.to_thread(session_of, crm_of(request), token, active)


def require(*roles: Role) -> Callable[[Request], Awaitable[StaffSession]]:
    """A dependency that lets these roles in, and their writes only with the session's CSRF token."""

    async def guard(request: Request) -> StaffSession:
        active = BACKGROUND_HEADER not in request.headers
        session = await session_from(request, active=active)
        if session is None:
            raise NotSignedIn
        if request.method not in SAFE_METHODS:
            shown = request.headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(shown.encode(), session.csrf_token.encode()):
                raise CsrfRefused
        if session.member.role not in roles:
            raise WrongRole(session.member.role)
        request.state.staff = session
        return session

    # Tests read this to prove that every staff route is guarded, and for whom.
    guard.roles = roles  # type: ignore[attr-defined]
    return guard


async def _signed_in(request: Request) -> StaffSession:
    """The session that the router's guard has let in."""
    session: StaffSession = request.state.staff
    return session


Staff = Annotated[StaffSession, Depends(_signed_in)]
