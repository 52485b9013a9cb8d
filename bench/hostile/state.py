"""What changed in the database and in the dialogue engine's memory while somebody wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, select

from crmcore.store.schema import conversations, metadata, needs

# What no text of a visitor may ever change, whatever it says.
UNTOUCHABLE = frozenset(
    {
        "firm_versions", "customers", "contacts", "channel_identities", "used_sign_in_tokens", "consents",
        "orders", "returns", "service_costs", "contracts", "offers", "staff", "staff_sessions",
        "value_runs", "value_snapshots", "current_values", "drafts",
        "conversations.customer_id", "conversations.verified_at", "conversations.token_generation",
        "conversations.visitor_id", "conversations.channel",
    }
)  # fmt: skip
# What a text may cause when it means that: a need, a complaint, a person, a code to the contact on file.
CAUSED = frozenset(
    {
        "needs", "complaints", "escalations", "callbacks", "verification_codes", "outbox",
        "conversations.owner_kind", "conversations.owner_id", "conversations.open_case", "conversations.mood",
    }
)  # fmt: skip

_WATCHED = sorted({name.split(".")[0] for name in UNTOUCHABLE | CAUSED})
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

    def rows(self) -> Rows:
        """Every row of every table that is not about messages and bookkeeping."""
        found = {}
        with self.engine.connect() as connection:
            for name in _WATCHED:
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
    for table, old in before.items():
        new = after[table]
        if old.keys() != new.keys():
            found.add(table)
        for key in old.keys() & new.keys():
            if old[key] != new[key]:
                columns = metadata.tables[table].columns.keys()
                values = zip(columns, old[key], new[key], strict=True)
                found |= {f"{table}.{column}" for column, was, now in values if was != now}
    return sorted(found)


def forbidden(changed: list[str]) -> list[str]:
    return [name for name in changed if name in UNTOUCHABLE or name.split(".")[0] in UNTOUCHABLE]


def caused(changed: list[str]) -> list[str]:
    return [name for name in changed if name in CAUSED or name.split(".")[0] in CAUSED]
