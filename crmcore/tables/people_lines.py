"""Rows of customers."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa

from crmcore.customers import CONTACT_KINDS, ContactKind
from crmcore.imports.errors import UnreadableValue
from crmcore.imports.people import PURPOSES, read_name, read_reach, read_yes
from crmcore.tables.arrow import ints
from crmcore.tables.records import Cells

Lines = tuple[Any, list[tuple[int, str]]]


def people_lines(languages: Sequence[str], managers: Mapping[str, str]) -> Callable[[Cells], Lines]:
    """Reads rows of customers for a firm with these languages and account managers (staff id by e-mail).

    Columns: line, customer_id; name, language and account manager's staff id; e-mail, phone and address,
    each as kept and as compared (``…_key``); offers, contact, profiling, research (truth); decided
    (microseconds since 1970, UTC). All but the first two are null where not told.
    """

    def language(text: str) -> str:
        code = text.casefold()[:2]
        if code not in languages:
            raise UnreadableValue(f"{text[:12]!r} is none of the firm's languages: {', '.join(languages)}")
        return code

    def manager(text: str) -> str:
        found = managers.get(text.casefold())
        if found is None:
            raise UnreadableValue("is no account manager's e-mail address; add him with `rapport staff add`")
        return found

    def read(cells: Cells) -> Lines:
        columns = {
            "customer_id": cells.identifier("customer_id", "customer id", required=True),
            "name": cells.choice("name", read_name, literal=True),
            "language": cells.choice("language", language),
            "manager": cells.choice("account_manager", manager),
        }
        for kind in CONTACT_KINDS:
            columns[kind] = cells.choice(kind, partial(_value, kind), literal=True)
            columns[f"{kind}_key"] = cells.choice(kind, partial(_key, kind), literal=True)
        for purpose in PURPOSES:
            columns[purpose] = cells.choice(purpose, read_yes, pa.bool_())
        if "decided_at" in cells:
            moments, missing = cells.moment_or_none("decided_at")
            columns["decided"] = ints(moments, missing)
        else:
            columns["decided"] = pa.nulls(cells.rows, pa.int64())
        return cells.settled(columns)

    return read


def _value(kind: ContactKind, text: str) -> str:
    return read_reach(kind, text)[0]


def _key(kind: ContactKind, text: str) -> str:
    return read_reach(kind, text)[1]
