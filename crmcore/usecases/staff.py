"""Adding staff, signing in and out, being on duty and being there.

Signing in is the one use case of three steps instead of one transaction: the attempt is counted and
committed first (so that parallel guesses cannot all pass the same count), the slow password check runs
while no lock is held (so that a flood of guesses cannot stop the customers' messages), and the session
is written last.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from crmcore.crm import Crm
from crmcore.ids import new_id
from crmcore.staff import (
    ATTEMPT_WINDOW,
    LONGEST_PASSWORD,
    SESSION_LIMIT,
    InvalidStaff,
    SignInRefused,
    StaffMember,
    StaffSession,
    UnknownStaff,
    check_attempts,
    check_new_member,
    check_new_password,
    is_alive,
    network_of,
    normalized_email,
)
from crmcore.store.staff import Credentials
from crmcore.store.transaction import Transaction

# Writing "seen" for each request would make every read a write; twice a minute is precise enough.
TOUCH_EVERY = timedelta(seconds=30)

_HASHER = PasswordHasher()  # argon2id with the low-memory parameters of RFC 9106.


@dataclass(frozen=True)
class SignedIn:
    """``token`` goes into the cookie and nowhere else: the store keeps only its digest."""

    token: str
    session: StaffSession


def add_staff(
    crm: Crm,
    name: str,
    email: str,
    role: str,
    password: str,
    staff_id: str | None = None,
    capacity: int = 4,
) -> StaffMember:
    """A new member of staff, off duty. Raises InvalidStaff when a rule is broken or the address is taken."""
    known_role = check_new_member(name, email, role)
    check_new_password(password)
    if capacity < 1:
        raise InvalidStaff(
            f"capacity is how many conversations a person leads at once; {capacity} is too few."
        )
    member = StaffMember(
        staff_id or new_id("staff"), name.strip(), normalized_email(email), known_role, capacity=capacity
    )
    password_hash = _HASHER.hash(password)
    with crm.store.write() as tx:
        if tx.staff.by_email(member.email) is not None:
            raise InvalidStaff(
                f"{member.email} already signs in here; use `rapport staff passwd` for a new password."
            )
        tx.staff.add(member, password_hash)
    return member


def change_password(crm: Crm, email: str, password: str) -> StaffMember:
    """Set a new password and end every session that the old one opened."""
    check_new_password(password)
    password_hash = _HASHER.hash(password)
    with crm.store.write() as tx:
        member = _known(tx, email)
        tx.staff.set_password(member.staff_id, password_hash)
        tx.staff.end_sessions_of(member.staff_id)
    return member


def close_account(crm: Crm, email: str) -> StaffMember:
    """Who does not work here any more is signed out everywhere; what he did stays under his name."""
    with crm.store.write() as tx:
        member = _known(tx, email)
        tx.staff.set_active(member.staff_id, False)
        tx.staff.end_sessions_of(member.staff_id)
    return member


def reopen_account(crm: Crm, email: str) -> StaffMember:
    """He may sign in again, with the password that he had."""
    with crm.store.write() as tx:
        member = _known(tx, email)
        tx.staff.set_active(member.staff_id, True)
    return member


def _known(tx: Transaction, email: str) -> StaffMember:
    member = tx.staff.by_email(normalized_email(email))
    if member is None:
        raise UnknownStaff(f"Nobody signs in as {email}; `rapport staff list` shows who does.")
    return member


def list_staff(crm: Crm) -> list[StaffMember]:
    with crm.store.read() as tx:
        return tx.staff.all()


def sign_in(crm: Crm, email: str, password: str, address: str, earlier_token: str | None = None) -> SignedIn:
    """Open a session. ``address`` is where the request came from; an earlier session of this browser ends.

    Raises
    ------
    SignInRefused : unknown, wrong or closed, after the same amount of work.
    TooManyAttempts : this account or this address failed too often; the password was not looked at.
    """
    email = normalized_email(email)
    attempts, credentials = _begin_attempt(crm, email, address)
    if not _verify(credentials, password):
        raise SignInRefused
    assert credentials is not None
    now = crm.clock()
    token = secrets.token_urlsafe(32)
    session = StaffSession(
        member=credentials.member,
        csrf_token=secrets.token_urlsafe(32),
        created_at=now,
        expires_at=now + SESSION_LIMIT,
        seen_at=now,
    )
    with crm.store.write() as tx:
        tx.staff.mark_succeeded(attempts)
        if earlier_token is not None:
            tx.staff.end_session(_digest(crm, "session", earlier_token))
        tx.staff.add_session(_digest(crm, "session", token), session)
        tx.staff.set_last_seen(credentials.member.staff_id, now)
        tx.staff.forget_before(now - 4 * ATTEMPT_WINDOW)
    return SignedIn(token, session)


def session_of(crm: Crm, token: str, active: bool = True) -> StaffSession | None:
    """Who this cookie is, or None when it is unknown, ended, expired or idle for too long.

    ``active`` tells that a person did something; a stream or a heartbeat asks with ``active=False``, so
    that an unattended browser does not keep its session for ever.
    """
    digest = _digest(crm, "session", token)
    now = crm.clock()
    with crm.store.read() as tx:
        session = tx.staff.session(digest)
    if session is None or not is_alive(session, now):
        return None
    if active and now - session.seen_at >= TOUCH_EVERY:
        with crm.store.write() as tx:
            tx.staff.touch_session(digest, now)
    return session


def sign_out(crm: Crm, token: str) -> None:
    """End the session on the server; whoever copied the cookie holds nothing."""
    digest = _digest(crm, "session", token)
    with crm.store.write() as tx:
        session = tx.staff.session(digest)
        tx.staff.end_session(digest)
        if session is not None:
            tx.staff.set_last_seen(session.member.staff_id, None)


def heartbeat(crm: Crm, staff_id: str) -> None:
    """The person's workspace is open: routing may count on it for the next moments."""
    with crm.store.write() as tx:
        tx.staff.set_last_seen(staff_id, crm.clock())


def set_duty(crm: Crm, staff_id: str, on_duty: bool) -> StaffMember:
    """Go on or off duty. Conversations that the person leads stay; no new one is sent."""
    with crm.store.write() as tx:
        tx.staff.set_duty(staff_id, on_duty)
        tx.staff.set_last_seen(staff_id, crm.clock())
        member = tx.staff.get(staff_id)
    if member is None:
        raise UnknownStaff(f"There is no member of staff {staff_id}.")
    return member


def _begin_attempt(crm: Crm, email: str, address: str) -> tuple[list[int], Credentials | None]:
    account = _digest(crm, "account", email)
    network = _digest(crm, "address", network_of(address))
    now = crm.clock()
    with crm.store.write() as tx:
        since = now - ATTEMPT_WINDOW
        check_attempts(now, tx.staff.failures_since(account, since), tx.staff.failures_since(network, since))
        attempts = [tx.staff.add_attempt(account, now), tx.staff.add_attempt(network, now)]
        return attempts, tx.staff.credentials(email)


def opens(crm: Crm, email: str, password: str) -> bool:
    """Whether this password would sign this person in; it counts as no attempt and opens no session."""
    with crm.store.read() as tx:
        credentials = tx.staff.credentials(normalized_email(email))
    return credentials is not None and _verify(credentials, password)


def _verify(credentials: Credentials | None, password: str) -> bool:
    """The same work whoever asks: an unknown person is checked against a hash that nothing matches."""
    expected = _nobodys_hash() if credentials is None else credentials.password_hash
    try:
        _HASHER.verify(expected, password[: LONGEST_PASSWORD + 1])
    except VerificationError:
        return False
    return credentials is not None and credentials.member.active


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def _digest(crm: Crm, purpose: str, value: str) -> str:
    return hmac.new(crm.secret, f"staff:{purpose}:{value}".encode(), sha256).hexdigest()
