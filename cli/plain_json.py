"""Values of the core as JSON."""

from dataclasses import asdict, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from crmcore.value.finding import Finding


def plain(value: Any) -> Any:
    """Of dataclasses, money, days and their collections: money as text, days and moments in ISO form."""
    if isinstance(value, Finding):
        return asdict(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
