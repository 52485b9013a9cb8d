"""What changed in the database and in the dialogue engine's memory while somebody wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, select

from crmcore.store.schema import conversations, metadata, needs

# What every message leaves behind, whatever it says. Everything that is named neither here nor in
# ``CAUSED`` is out of every text's reach; so is a table that is added some day.
BOOKKEEPING = frozenset(
    {
        "messages", "offered_buttons", "channel_senders", "channel_answers", "incidents", "jobs", "processes",
        "decisions", "api_keys.last_used_at", "idempotency_keys", "events", "webhook_deliveries",
        *(
            f"conversations.{column}"
            for column in (
                "epoch", "last_seq", "turn_holder", "turn_until", "bot_turns", "brain_session",
                "brain_notice", "failures", "last_message_at", "closed_at",
            )
        ),
    }
)  # fmt: skip
# What a text may cause when it means that: a need, a complaint, a person, a code to the contact on file.
CAUSED = frozenset(
    {
        "needs", "complaints", "escalations", "callbacks", "verification_codes", "outbox",
        "conversations.owner_kind", "conversations.owner_id", "conversations.open_case", "conversations.mood",
    }
)  # fmt: skip

_MANY = 400  # Rows.
_COUNT = "SELECT count(*) FROM {}"
_WATCHED = sorted(table for table in metadata.tables if table not in BOOKKEEPING)
Rows = Mapping[str, Mapping[tuple[Any, ...], tuple[Any, ...]]]  # table, key: the row as the driver gives it


@dataclass(frozen=True)
class Watch:
    """Looks into an installation from inside, where no visitor can."""

    engine: Engine
    brain: httpx.Client | None

    @classmethod
    def over(cls, database_url: str, rasa_url: str | None) -> "Watch":
        brain = httpx.Client(base_url=rasa_url, timeout=10, trust_env=False) if rasa_url else None
        return cls(create_engine(database_url.replace("postgresql://", "postgresql+psycopg://")), brain)

    def rows(self, *, large: bool = False) -> Rows:
        """Every row of every table that is not bookkeeping; tables of many rows only when ``large`` is set.

        Reading all orders twice for every text would take longer than the text; who attacks many times
        compares the large ones once, at the end.
        """
        found = {}
        with self.engine.connect() as connection:
            for name in _WATCHED:
                if not large and connection.exec_driver_sql(_COUNT.format(name)).scalar_one() > _MANY:
                    continue
                table = metadata.tables[name]
                columns = ", ".join(f'"{column.name}"' for column in table.columns)
                rows = connection.exec_driver_sql(f"SELECT {columns} FROM {name}").all()
                keys = [place for place, column in enumerate(table.columns) if column.primary_key]
                found[name] = {tuple(row[place] for place in keys): tuple(row) for row in rows}
        return found

    def slots(self, conversation_id: str) -> dict[str, Any]:
        """The dialogue engine's slots of this conversation; empty without a brain to ask."""
        if self.brain is None or not conversation_id:
            return {}
        session = self.conversation(conversation_id)["brain_session"]
        path = f"/conversations/{conversation_id}.{session}/tracker"
        found: dict[str, Any] = self.brain.get(path, params={"include_events": "NONE"}).json()
        return {**found["slots"], "active_loop": (found.get("active_loop") or {}).get("name")}

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        query = select(conversations).where(conversations.c.conversation_id == conversation_id)
        with self.engine.connect() as connection:
            return dict(connection.execute(query).mappings().one())

    def newest_conversation(self) -> str:
        query = select(conversations.c.conversation_id).order_by(conversations.c.opened_at.desc()).limit(1)
        with self.engine.connect() as connection:
            return str(connection.execute(query).scalar_one())

    def kept_needs(self, conversation_id: str) -> list[str]:
        """The stati of what was understood of this conversation; ``open`` is a confirmed need."""
        query = select(needs.c.status).where(needs.c.conversation_id == conversation_id)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())


def changes(before: Rows, after: Rows) -> list[str]:
    """The tables that gained or lost rows, and ``table.column`` for values that changed, sorted."""
    found = set()
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        if old.keys() != new.keys():
            found.add(table)
        for key in old.keys() & new.keys():
            if old[key] != new[key]:
                columns = metadata.tables[table].columns.keys()
                values = zip(columns, old[key], new[key], strict=True)
                found |= {f"{table}.{column}" for column, was, now in values if was != now}
    return sorted(found)


def forbidden(changed: list[str]) -> list[str]:
    """What no text may change."""
    return [name for name in changed if not _is_among(BOOKKEEPING | CAUSED, name)]


def touched(before: Rows, after: Rows) -> list[str]:
    """What no text may change, looked at after many of them; each began a conversation."""
    return [name for name in forbidden(changes(before, after)) if name != "conversations"]


def caused(changed: list[str]) -> list[str]:
    """What only a text may change that means it."""
    return [name for name in changed if _is_among(CAUSED, name)]


def _is_among(names: frozenset[str], name: str) -> bool:
    return name in names or name.split(".")[0] in names
