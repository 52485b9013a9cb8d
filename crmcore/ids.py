"""Opaque identifiers."""

import secrets


def new_id(prefix: str) -> str:
    """A new identifier such as ``need_6f1c…``: 80 random bits, so nobody can guess or enumerate it."""
    return f"{prefix}_{secrets.token_hex(10)}"
