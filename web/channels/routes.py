"""``POST /chat/socket-token``: what a page shows to a socket, so that its session token stays out of URLs."""

from typing import Any

from fastapi import APIRouter, Request

from crmcore.crm import Crm
from web.gateway.session import session_of

router = APIRouter()


@router.post("/chat/socket-token")
def socket_token(request: Request) -> dict[str, Any]:
    """A token for one connection to the conversation of the Bearer token, good for two minutes."""
    session = session_of(request)
    state = request.app.state
    crm: Crm = state.crm
    state.limits.reads.take(session.conversation.conversation_id)
    token, expires_at = state.tokens.mint_socket(session.claims, crm.clock())
    return {"token": token, "expires_at": expires_at.isoformat()}
