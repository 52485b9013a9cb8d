"""The firm's sign-in tokens that were used."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from crmcore.store.schema import used_sign_in_tokens


class Visits:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def use_sign_in_token(self, token_digest: str, expires_at: datetime, now: datetime) -> bool:
        """Note the token's use; False when it had been used before. Expired rows are forgotten."""
        self._connection.execute(delete(used_sign_in_tokens).where(used_sign_in_tokens.c.expires_at < now))
        try:
            with self._connection.begin_nested():
                self._connection.execute(
                    insert(used_sign_in_tokens).values(token_digest=token_digest, expires_at=expires_at)
                )
        except IntegrityError:
            return False
        return True
