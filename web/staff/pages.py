"""What every staff page shares: the templates and the shell. Headers come from ``web.security``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crmcore.staff import Role, StaffSession
from web.staff.session import crm_of

WEB = Path(__file__).parent.parent

HOME: dict[Role, str] = {"account_manager": "/workspace", "marketer": "/console", "operator": "/operator"}

templates = Environment(
    loader=FileSystemLoader([WEB / part / "templates" for part in ("staff", "workspace", "console")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class NavigationEntry:
    title: str
    path: str


NAVIGATION: dict[Role, tuple[NavigationEntry, ...]] = {
    "account_manager": (NavigationEntry("Conversations", "/workspace"),),
    "marketer": (
        NavigationEntry("Needs", "/console"),
        NavigationEntry("Verbatims", "/console/verbatims"),
    ),
    "operator": (NavigationEntry("Health", "/operator"),),
}


def page(
    request: Request, template: str, session: StaffSession | None = None, status: int = 200, **values: object
) -> HTMLResponse:
    """Render a page in the shared shell. ``session`` is None on the sign-in page alone."""
    html = templates.get_template(template).render(
        firm=crm_of(request).firm,
        session=session,
        navigation=NAVIGATION[session.member.role] if session else (),
        path=request.url.path,
        **values,
    )
    return HTMLResponse(html, status_code=status)
