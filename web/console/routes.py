"""The console's pages."""

from fastapi import APIRouter, Depends, Request, Response

from web.staff.pages import page
from web.staff.session import Staff, require

router = APIRouter(include_in_schema=False, prefix="/console", dependencies=[Depends(require("marketer"))])
operator = APIRouter(include_in_schema=False, prefix="/operator", dependencies=[Depends(require("operator"))])


@router.get("")
async def show(request: Request, session: Staff) -> Response:
    return page(request, "console.html", session)


@operator.get("")
async def health(request: Request, session: Staff) -> Response:
    return page(request, "operator.html", session)
