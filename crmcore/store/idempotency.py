"""Idempotency keys that other programs sent, as digests."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from crmcore.idempotency import Claim
from crmcore.store.schema import idempotency_keys
from crmcore.store.statements import insert_once


class IdempotencyKeys:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, claim: Claim, now: datetime) -> str:
        """The digest of the request that came with this key first; of two racers one is first."""
        values = {**vars(claim), "created_at": now}
        if insert_once(self._connection, idempotency_keys, values):
            return claim.request_digest
        query = select(idempotency_keys.c.request_digest).where(
            idempotency_keys.c.key_id == claim.key_id, idempotency_keys.c.key_digest == claim.key_digest
        )
        return str(self._connection.execute(query).scalar_one())

    def forget_before(self, moment: datetime) -> None:
        self._connection.execute(delete(idempotency_keys).where(idempotency_keys.c.created_at < moment))
