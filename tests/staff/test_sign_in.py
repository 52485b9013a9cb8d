"""Who gets in, who does not, and what a refusal gives away."""

import re

import pytest
from sqlalchemy import select

from crmcore.staff import (
    ACCOUNT_FAILURES,
    ADDRESS_FAILURES,
    InvalidStaff,
    SignInRefused,
    TooManyAttempts,
    UnknownStaff,
)
from crmcore.store.database import raw_connection
from crmcore.store.schema import sign_in_attempts, staff, staff_sessions
from crmcore.usecases import staff as use_cases
from crmcore.usecases.staff import (
    add_staff,
    change_password,
    close_account,
    list_staff,
    reopen_account,
    session_of,
    set_duty,
    sign_out,
)
from crmcore.usecases.staff import sign_in as sign_in_use_case
from tests.staff.office import PASSWORD, Office, sign_in


@pytest.mark.parametrize(
    ("name", "home"), [("Ana", "/workspace"), ("Mara", "/console"), ("Olu", "/operator")]
)
def test_the_right_password_leads_to_the_page_of_ones_role(office: Office, name: str, home: str) -> None:
    answer = sign_in(office.browser(), office.members[name].email)
    assert (answer.status_code, answer.headers["location"]) == (303, home)


def test_the_address_is_read_whatever_its_case_and_spaces(office: Office) -> None:
    assert sign_in(office.browser(), " ANA@Example.com ").status_code == 303


def test_unknown_person_wrong_password_and_closed_account_get_the_same_answer(office: Office) -> None:
    office.hire("Gone")
    close_account(office.crm, "gone@example.com")
    answers = [
        sign_in(office.browser(), "ana@example.com", "not her password"),
        sign_in(office.browser(), "gone@example.com", PASSWORD),
        sign_in(office.browser(), "bob@example.com", PASSWORD),
        sign_in(office.browser(), "ana@example.com", ""),
        sign_in(office.browser(), "ana@example.com", "x" * 1000),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({re.sub(r'value="[^"]*"', "", answer.text) for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_an_unknown_person_costs_as_much_work_as_a_known_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    hasher = use_cases._HASHER

    class Counting:
        def verify(self, expected: str, password: str) -> bool:
            verified.append(expected.split("$")[1:4])
            return hasher.verify(expected, password)

        hash = hasher.hash

    monkeypatch.setattr(use_cases, "_HASHER", Counting())
    for email in ("ana@example.com", "nobody@example.com"):
        with pytest.raises(SignInRefused):
            sign_in_use_case(office.crm, email, "wrong", "203.0.113.9")
    assert verified[0] == verified[1], "the same algorithm with the same parameters, once each"


def test_passwords_are_hashed_with_the_low_memory_parameters_of_rfc_9106() -> None:
    assert use_cases._HASHER.hash(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_after_too_many_failures_even_the_right_password_waits(office: Office) -> None:
    client = office.browser()
    for _ in range(ACCOUNT_FAILURES):
        assert sign_in(client, "ana@example.com", "wrong").status_code == 401
    refused = sign_in(client, "ana@example.com")
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 901
    assert sign_in(client, "mara@example.com").status_code == 303, "a colleague in the same office gets in"
    office.clock.advance(minutes=15, seconds=1)
    assert sign_in(client, "ana@example.com").status_code == 303


def test_one_address_cannot_try_one_password_on_everybody(office: Office) -> None:
    for number in range(ADDRESS_FAILURES):
        with pytest.raises(SignInRefused):
            sign_in_use_case(office.crm, f"person{number}@example.com", "Winter2026!!", "2001:db8::1")
    with pytest.raises(TooManyAttempts):
        sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "2001:db8::ffff")  # The same /64.
    assert sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9").token


def test_signing_in_well_uses_up_no_attempts(office: Office) -> None:
    for _ in range(ACCOUNT_FAILURES + 1):
        assert sign_in(office.browser(), "ana@example.com").status_code == 303


def test_the_store_holds_no_password_no_session_id_and_no_address(office: Office) -> None:
    signed_in = sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9")
    with raw_connection(office.crm.store) as connection:
        rows = [
            str(row)
            for table in (staff, staff_sessions, sign_in_attempts)
            for row in connection.execute(select(table))
        ]
    for secret in (PASSWORD, signed_in.token, "203.0.113.9"):
        assert not any(secret in row for row in rows)


def test_the_cookie_is_closed_to_scripts_and_secure_with_tls(office: Office) -> None:
    plain = sign_in(office.browser(), "ana@example.com").headers["set-cookie"]
    client = office.browser()
    client.base_url = client.base_url.copy_with(scheme="https")
    safe = sign_in(client, "ana@example.com").headers["set-cookie"]
    for cookie in (plain, safe):
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    assert "Secure" not in plain
    assert safe.startswith("__Host-")
    assert "Secure" in safe


def test_signing_in_again_ends_the_earlier_session_of_the_same_browser(office: Office) -> None:
    client = office.browser_of("Ana")
    first = client.cookies["rapport_staff"]
    assert sign_in(client, "ana@example.com").status_code == 303
    second = client.cookies["rapport_staff"]
    assert first != second
    assert session_of(office.crm, first) is None
    assert session_of(office.crm, second) is not None


def test_a_cookie_planted_before_signing_in_is_never_adopted(office: Office) -> None:
    client = office.browser()
    client.cookies["rapport_staff"] = "chosen-by-the-attacker"
    answer = sign_in(client, "ana@example.com")
    assert "chosen-by-the-attacker" not in answer.headers["set-cookie"]
    assert session_of(office.crm, "chosen-by-the-attacker") is None


def test_signing_out_ends_the_session_on_the_server(office: Office) -> None:
    client = office.browser_of("Ana")
    stolen = client.cookies["rapport_staff"]
    assert client.post("/sign-out").status_code == 204
    assert session_of(office.crm, stolen) is None
    thief = office.browser()
    thief.cookies["rapport_staff"] = stolen
    assert thief.get("/workspace", headers={"Accept": "text/html"}).status_code == 303


def test_a_new_password_ends_every_session_and_the_old_password(office: Office) -> None:
    signed_in = sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9")
    change_password(office.crm, "Ana@example.com", "copper lantern meadow")
    assert session_of(office.crm, signed_in.token) is None
    assert sign_in(office.browser(), "ana@example.com").status_code == 401
    assert sign_in(office.browser(), "ana@example.com", "copper lantern meadow").status_code == 303


def test_a_session_ends_after_two_idle_hours(office: Office) -> None:
    token = sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9").token
    office.clock.advance(hours=1, minutes=59)
    assert session_of(office.crm, token) is not None
    office.clock.advance(hours=1, minutes=59)
    assert session_of(office.crm, token) is not None, "doing something starts the two hours again"
    office.clock.advance(hours=2)
    assert session_of(office.crm, token) is None


def test_an_unattended_browser_that_only_polls_does_not_stay_signed_in(office: Office) -> None:
    client = office.browser_of("Ana")
    for _ in range(5):
        office.clock.advance(minutes=30)
        answer = client.post("/staff/heartbeat", headers={"X-Background": "1"})
    assert answer.status_code == 401


def test_a_session_ends_after_a_working_day_however_busy(office: Office) -> None:
    token = sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9").token
    for _ in range(11):
        office.clock.advance(hours=1)
        assert session_of(office.crm, token) is not None
    office.clock.advance(hours=1)
    assert session_of(office.crm, token) is None


def test_who_does_not_work_here_any_more_is_signed_out_until_his_account_is_opened_again(
    office: Office,
) -> None:
    token = sign_in_use_case(office.crm, "ana@example.com", PASSWORD, "203.0.113.9").token
    set_duty(office.crm, "staff_ana", True)
    close_account(office.crm, "Ana@example.com")
    assert session_of(office.crm, token) is None
    (ana,) = [member for member in list_staff(office.crm) if member.staff_id == "staff_ana"]
    assert (ana.active, ana.on_duty) == (False, False)
    reopen_account(office.crm, "ana@example.com")
    assert session_of(office.crm, token) is None, "a session that was ended stays so"
    assert sign_in(office.browser(), "ana@example.com").status_code == 303
    with pytest.raises(UnknownStaff, match="rapport staff list"):
        close_account(office.crm, "nobody@example.com")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({}, 303),
    ],
)
def test_another_website_cannot_sign_a_visitor_in(
    office: Office, headers: dict[str, str], status: int
) -> None:
    form = {"email": "ana@example.com", "password": PASSWORD}
    assert office.browser().post("/sign-in", data=form, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/workspace?view=mine", "/workspace?view=mine"),
        ("https://elsewhere.example/workspace", "/workspace"),
        ("//elsewhere.example", "/workspace"),
        ("/workspace.elsewhere.example", "/workspace"),
        ("/workspace/\\elsewhere.example\r\nSet-Cookie: a=b", "/workspace"),
        ("/console", "/workspace"),
    ],
)
def test_after_signing_in_one_reaches_only_ones_own_pages(office: Office, wanted: str, reached: str) -> None:
    answer = sign_in(office.browser(), "ana@example.com", next=wanted)
    assert answer.headers["location"] == reached


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": " "}, "name"),
        ({"email": "ana"}, "ana@example.com"),
        ({"role": "admin"}, "account_manager, marketer, operator"),
        ({"password": "short"}, "12 to 256"),
        ({"password": "a" * 20}, "easy to guess"),
        ({"email": "ANA@example.com"}, "rapport staff passwd"),
        ({"capacity": 0}, "capacity"),
    ],
)
def test_a_new_member_of_staff_that_breaks_a_rule_is_told_which(
    office: Office, changed: dict[str, str | int], told: str
) -> None:
    wanted = {"name": "Ben", "email": "ben@example.com", "role": "marketer", "password": PASSWORD}
    with pytest.raises(InvalidStaff, match=re.escape(told)):
        add_staff(office.crm, **{**wanted, **changed})  # type: ignore[arg-type]


def test_sign_out_of_an_unknown_session_changes_nothing(office: Office) -> None:
    sign_out(office.crm, "nobody's")
