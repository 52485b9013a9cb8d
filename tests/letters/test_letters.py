"""Letters go to the mail server through the job table: once, again after a failure, and leave no code."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from crmcore.crm import Crm
from crmcore.jobs import LEASE
from crmcore.letters import Letter, QueuedLetter
from crmcore.mail import NotSent, UnusableMailServer, smtp
from crmcore.usecases.demonstration import letters
from crmcore.usecases.jobs import HANDLERS, run_due_jobs
from crmcore.usecases.letters import post
from tests.builders import Clock
from tests.letters.mail_server import MailServer, a_mail_server

CODE = Letter("verification_code", "ada@example.org", "Your code", "Your code is 482913.")
LETTERS = {"letter": HANDLERS["letter"]}


@pytest.fixture
def server() -> Iterator[MailServer]:
    with a_mail_server() as running:
        yield running


@pytest.fixture
def mailing(crm_on_both: Crm, server: MailServer) -> Crm:
    return replace(crm_on_both, mail=smtp(server.url))


def posted(crm: Crm, letter: Letter = CODE) -> None:
    with crm.store.write() as tx:
        post(tx, letter, crm.clock())


def the_letter(crm: Crm) -> QueuedLetter:
    (found,) = letters(crm)
    return found


def test_a_letter_arrives_once_from_the_firm_and_its_code_is_deleted(
    mailing: Crm, server: MailServer
) -> None:
    posted(mailing)
    run_due_jobs(mailing, "one", LETTERS)
    run_due_jobs(mailing, "two", LETTERS)
    (arrived,) = server.letters
    assert "482913" in arrived
    assert "To: ada@example.org" in arrived
    assert f"From: {mailing.firm.policies.email}" in arrived
    assert the_letter(mailing).body == ""
    assert the_letter(mailing).sent_at == mailing.clock()


def test_a_letter_whose_turn_fails_is_never_sent(mailing: Crm, server: MailServer) -> None:
    def a_failing_turn() -> None:
        with mailing.store.write() as tx:
            post(tx, CODE, mailing.clock())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        a_failing_turn()
    run_due_jobs(mailing, "worker", LETTERS)
    assert server.letters == []


def test_a_refused_letter_is_tried_again_and_no_record_names_its_reader(
    mailing: Crm, server: MailServer, clock: Clock
) -> None:
    server.refuses = True
    posted(mailing)
    run_due_jobs(mailing, "worker", LETTERS)
    with mailing.store.read() as tx:
        job = tx.jobs.by_key(f"letter:{the_letter(mailing).outbox_id}")
    assert job is not None
    assert job.last_error == (
        "NotSent: the mail server did not take a 'verification_code' letter: SMTPRecipientsRefused"
    )
    server.refuses = False
    clock.advance(minutes=1)
    run_due_jobs(mailing, "worker", LETTERS)
    assert len(server.letters) == 1


def test_a_worker_that_died_leaves_the_letter_to_the_next(
    mailing: Crm, server: MailServer, clock: Clock
) -> None:
    posted(mailing)
    with mailing.store.write() as tx:
        tx.jobs.claim("killed", clock(), LEASE)
    run_due_jobs(mailing, "next", LETTERS)
    assert server.letters == []
    clock.now += LEASE
    run_due_jobs(mailing, "next", LETTERS)
    assert len(server.letters) == 1


def test_without_a_mail_server_letters_stay_where_the_demonstration_shows_them(crm: Crm) -> None:
    posted(crm)
    run_due_jobs(crm, "worker", LETTERS)
    assert the_letter(crm).body == CODE.body
    assert the_letter(crm).sent_at is None


def test_a_refusal_is_said_without_the_reader(server: MailServer) -> None:
    send = smtp(f"smtp://127.0.0.1:{server.port}")
    server.refuses = True
    with pytest.raises(NotSent) as refused:
        send(CODE, "shop@example.com")
    assert "ada" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtps://host:no"])
def test_an_address_that_is_none_is_refused_at_once_and_not_repeated(url: str) -> None:
    with pytest.raises(UnusableMailServer, match="RAPPORT_SMTP_URL"):
        smtp(url)


def test_a_server_elsewhere_is_never_talked_to_in_the_clear(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server on loopback offers no STARTTLS, so taken for a distant one it must get nothing."""
    monkeypatch.setattr("crmcore.mail._on_this_machine", lambda host: False)
    with pytest.raises(NotSent, match="SMTPNotSupported"):
        smtp(server.url)(CODE, "shop@example.com")
    assert server.letters == []
