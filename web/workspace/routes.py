"""The workspace's pages."""

from fastapi import APIRouter, Depends, Request, Response

from web.staff.pages import page
from web.staff.session import Staff, require

router = APIRouter(
    include_in_schema=False, prefix="/workspace", dependencies=[Depends(require("account_manager"))]
)


@router.get("")
async def show(request: Request, session: Staff) -> Response:
    return page(request, "workspace.html", session)
