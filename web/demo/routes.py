"""``/demo``: a shop page whose server signs its customers in, and ``/demo/outbox``: its letters."""

import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import jwt
from fastapi import APIRouter, Cookie, Form, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from crmcore.catalogue import Product
from crmcore.crm import Crm
from crmcore.firm import Firm
from crmcore.money import format_money
from crmcore.usecases.demonstration import Visitor, letters, visitors

HERE = Path(__file__).parent
COOKIE = "demonstration_customer"
TOKEN_LIFETIME = timedelta(minutes=5)  # Long enough to load a page; each page has a fresh one.
SHELVES = (
    "turntable",
    "guitar",
    "headphones",
    "keyboard",
    "speakers",
    "strings-and-wind",
)  # Drawn in art.html.
FILES = ("demo.css", "demo.js")

templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)

Remembered = Annotated[str, Cookie(alias=COOKIE)]


def router() -> APIRouter:
    """For an installation of the demonstration firm only: here anybody may sign in as its customers."""
    routes = APIRouter(prefix="/demo")
    routes.add_api_route("", shop, methods=["GET"])
    routes.add_api_route("/sign-in", sign_in, methods=["POST"])
    routes.add_api_route("/sign-out", sign_out, methods=["POST"])
    routes.add_api_route("/outbox", outbox, methods=["GET"])
    routes.add_api_route("/{name}", file, methods=["GET"])
    return routes


def shop(request: Request, customer_id: Remembered = "") -> HTMLResponse:
    crm: Crm = request.app.state.crm
    known = visitors(crm)
    visitor = next((one for one in known if one.customer_id == customer_id), None)
    return _page(
        "shop.html",
        firm=crm.firm,
        visitors=known,
        visitor=visitor,
        token=sign(request, visitor) if visitor else "",
        products=window_display(crm.firm),
        money=lambda amount: format_money(amount, crm.firm.currency).removesuffix(".00"),
    )


def sign(request: Request, visitor: Visitor) -> str:
    """What a firm's own web server does for its signed-in visitors: one token for each page."""
    state = request.app.state
    now = state.crm.clock()
    claims = {
        "aud": "rapport",
        "sub": visitor.customer_id,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFETIME).timestamp()),
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, state.settings.widget_secret, "HS256")


def window_display(firm: Firm) -> list[Product]:
    """The first product of each shelf that the shop window has a drawing for."""
    first = {product.category: product for product in reversed(firm.products) if product.in_stock}
    return [first[shelf] for shelf in SHELVES if shelf in first]


def sign_in(request: Request, customer_id: Annotated[str, Form()]) -> Response:
    answer = RedirectResponse("/demo", 303)
    if customer_id in {one.customer_id for one in visitors(request.app.state.crm)}:
        answer.set_cookie(COOKIE, customer_id, httponly=True, samesite="lax", path="/demo")
    return answer


def sign_out() -> Response:
    answer = RedirectResponse("/demo", 303)
    answer.delete_cookie(COOKIE, path="/demo")
    return answer


def outbox(request: Request) -> HTMLResponse:
    crm: Crm = request.app.state.crm
    return _page("outbox.html", firm=crm.firm, letters=letters(crm), zone=crm.firm.zone)


def file(name: str) -> Response:
    return FileResponse(HERE / "static" / name) if name in FILES else Response(status_code=404)


def _page(name: str, **values: object) -> HTMLResponse:
    return HTMLResponse(templates.get_template(name).render(**values), headers={"Cache-Control": "no-store"})
