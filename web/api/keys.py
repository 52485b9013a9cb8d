"""Which program is asking: the Bearer key, its scope and its rate, in one call."""

from fastapi import Request

from crmcore.api_keys import ApiKey, KeyRefused, Scope, ScopeMissing
from crmcore.crm import Crm
from crmcore.usecases.api_keys import authenticate
from web.gateway.limits import Limits
from web.gateway.session import address_of


def key_of(request: Request, scope: Scope) -> ApiKey:
    """The key of the request, good for ``scope``, and one request taken from what the key may do.

    It asks the database: call it from a plain ``def`` route or dependency, or in a thread.

    Raises
    ------
    KeyRefused : none, unknown or revoked; an address that shows many of them has to wait.
    ScopeMissing : a good key without this scope.
    TooMany : the key's rate is used up; ``retry_after`` says for how long.
    """
    crm: Crm = request.app.state.crm
    limits: Limits = request.app.state.limits
    try:
        key = authenticate(crm, _bearer(request))
    except KeyRefused:
        limits.refused_keys.take(address_of(request))
        raise
    limits.keys.take(key.key_id)
    if not key.may(scope):
        raise ScopeMissing(scope)
    return key


def _bearer(request: Request) -> str:
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise KeyRefused
    return presented.strip()
