"""The header with which a program marks a request that it may send again."""

from hashlib import sha256
from typing import Annotated

from fastapi import Header, Request

from crmcore.idempotency import Claim
from web.api.fields import Body
from web.api.route import key

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",
        description="A text of your own, new for every request, kept for 7 days. The same key with another "
        "body is refused.",
    ),
]


def claim_of(request: Request, idempotency_key: str | None, body: Body) -> Claim | None:
    """None without a key. Two programs' keys never meet, and one key is good for one address."""
    if idempotency_key is None:
        return None
    said = f"{request.method} {request.url.path}\n{body.model_dump_json()}"
    return Claim(key(request).key_id, _digest(idempotency_key), _digest(said))


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
