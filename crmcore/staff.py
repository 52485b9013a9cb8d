"""The people who work here: their roles, their sessions, and the limits of signing in.

Pure: every ``now`` is an argument. Times are aware UTC.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from crmcore.errors import CrmError

Role = Literal["account_manager", "marketer", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)

IDLE_LIMIT = timedelta(hours=2)  # Without a key or a click the session ends,
SESSION_LIMIT = timedelta(hours=12)  # and a working day is the longest that one may last.
PRESENCE_LIMIT = timedelta(seconds=90)  # Three missed heartbeats of 30 seconds.

ATTEMPT_WINDOW = timedelta(minutes=15)
ACCOUNT_FAILURES = 8  # Enough for a bad morning, too few to guess a password.
ADDRESS_FAILURES = 30  # An office shares one address.

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256


class SignInRefused(CrmError):
    """Unknown person, wrong password or closed account: from outside they are all the same."""

    def __init__(self) -> None:
        super().__init__("That e-mail address and password do not belong together. Check both and try again.")


class TooManyAttempts(CrmError):
    def __init__(self, retry_after: timedelta) -> None:
        self.retry_after = retry_after
        minutes = max(1, -(-int(retry_after.total_seconds()) // 60))
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(f"Too many attempts. Wait {minutes} {unit}, then try again.")


class UnknownStaff(CrmError):
    """Nobody of that name works here."""


class InvalidStaff(CrmError):
    """A new member of staff, or a new password, breaks a rule; the message says which."""


@dataclass(frozen=True)
class StaffMember:
    """One person; the password hash never leaves the store together with the rest."""

    staff_id: str
    name: str
    email: str
    role: Role
    on_duty: bool = False
    last_seen_at: datetime | None = None
    capacity: int = 4  # Conversations that the person leads at the same time.
    active: bool = True


@dataclass(frozen=True)
class StaffSession:
    """A signed-in browser. ``seen_at`` is the last thing that the person did, not the last poll."""

    member: StaffMember
    csrf_token: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime


def is_alive(session: StaffSession, now: datetime) -> bool:
    """Within both limits, and its owner still works here."""
    return session.member.active and now < session.expires_at and now - session.seen_at < IDLE_LIMIT


def is_present(member: StaffMember, now: datetime) -> bool:
    """Whether the person's workspace was heard of lately; only then may a customer be sent there."""
    return member.active and member.last_seen_at is not None and now - member.last_seen_at < PRESENCE_LIMIT


def takes_customers(member: StaffMember, now: datetime) -> bool:
    """An account manager who is on duty and really there."""
    return member.role == "account_manager" and member.on_duty and is_present(member, now)


def normalized_email(email: str) -> str:
    return email.strip().casefold()


def network_of(address: str) -> str:
    """What an attacker cannot cheaply change: an IPv4 address, or the /64 network of an IPv6 one.

    >>> network_of("203.0.113.9"), network_of("2001:db8:1:2:3:4:5:6"), network_of("testclient")
    ('203.0.113.9', '2001:db8:1:2::/64', 'testclient')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def check_attempts(now: datetime, account: list[datetime], address: list[datetime]) -> None:
    """Refuse when the failures of one account, or of one address, fill their window.

    ``account`` and ``address`` are the times of failures, oldest first. The right password is refused
    too while the window is full: an answer that differs would tell a guesser that he has found it.

    Raises
    ------
    TooManyAttempts : with the time until the oldest failure that counts falls out of the window.
    """
    for failures, limit in ((account, ACCOUNT_FAILURES), (address, ADDRESS_FAILURES)):
        recent = [at for at in failures if now - at < ATTEMPT_WINDOW]
        if len(recent) >= limit:
            raise TooManyAttempts(recent[-limit] + ATTEMPT_WINDOW - now)


def check_new_member(name: str, email: str, role: str) -> Role:
    """The role, known to be one, when the rest is in order; raises InvalidStaff."""
    if not name.strip():
        raise InvalidStaff("A member of staff needs a name: customers see it when the person joins.")
    local, at, domain = normalized_email(email).partition("@")
    if not (local and at and "." in domain) or " " in email.strip():
        raise InvalidStaff(f"{email!r} is not an e-mail address such as ana@example.com.")
    for known in ROLES:
        if role == known:
            return known
    raise InvalidStaff(f"{role!r} is not a role; choose one of {', '.join(ROLES)}.")


def check_new_password(password: str) -> None:
    length = len(password)
    if not SHORTEST_PASSWORD <= length <= LONGEST_PASSWORD:
        raise InvalidStaff(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; this one has {length}."
        )
    if len(set(password)) < 5:
        raise InvalidStaff("That password is easy to guess; a few unrelated words make a good one.")
