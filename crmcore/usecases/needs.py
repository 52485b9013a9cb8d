"""Needs in conversation: stated, read back, corrected, confirmed, withdrawn; and on the marketer's board."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crmcore.conversations import Conversation, Turn
from crmcore.crm import Crm
from crmcore.ids import new_id
from crmcore.needs.board import BoardFilter, NeedsBoard
from crmcore.needs.changes import confirmed, contradicts, merged
from crmcore.needs.describing import describe
from crmcore.needs.probing import Question, next_question, question_asked
from crmcore.needs.reading import read_need
from crmcore.needs.values import Need, NeedIsClosed, Probe, ReadNeed, UnknownNeed
from crmcore.store.transaction import Transaction
from crmcore.usecases.events import tell_of_need
from crmcore.usecases.ownership import guard
from crmcore.usecases.value_refresh import refresh_value


@dataclass(frozen=True)
class UnderstoodNeed:
    """A need with its read-back: ``parts`` are phrases (see ``crmcore.needs.describing``)."""

    need: Need
    parts: dict[str, str]

    @property
    def need_id(self) -> str:
        return self.need.need_id

    @property
    def is_empty(self) -> bool:
        """Nothing was understood: ask him to say it in another way, and do not read it back."""
        return self.need.read.is_empty


def state_need(crm: Crm, turn: Turn, text: str, previous_question: str | None = None) -> UnderstoodNeed:
    """Read a need out of the customer's words and keep it as ``understood``.

    The same turn run again returns the need kept first. Reading is done before the transaction, so no
    lock is held meanwhile.
    """
    read = _read(crm, turn, text, previous_question)
    now = crm.clock()
    with crm.store.write() as tx:
        conversation = guard(tx, turn)
        need = tx.needs.add(
            Need(
                need_id=new_id("need"),
                customer_id=_verified(conversation),
                conversation_id=conversation.conversation_id,
                source_key=_source(turn, "need"),
                read=read,
                provenance="declared",
                status="understood",
                stated_at=now,
                confirmed_at=None,
                updated_at=now,
            )
        )
    return _understood(crm, need, conversation.language)


def correct_need(
    crm: Crm, turn: Turn, need_id: str, text: str, previous_question: str | None = None
) -> UnderstoodNeed:
    """Change what was understood by what he says now: "no, I meant …", or the answer to a probe.

    With no ``previous_question`` the probe asked last about this need is the question answered. The
    same words again change nothing, so a turn may be run again.
    """
    with crm.store.read() as tx:
        before = tx.needs.get(need_id)
        language = _language(tx, turn)
    asked = question_asked(before, crm.firm, language) if before else None
    question = previous_question or (asked.wording if asked else None)
    said = _read(crm, turn, text, question)
    with crm.store.write() as tx:
        conversation, need = _opened(tx, turn, need_id, "corrected")
        read = merged(need.read, said, answers_question=asked is not None and previous_question is None)
        now = crm.clock()
        before, need = need, replace(need, read=read, updated_at=now)
        tx.needs.save(need)
        if need.status == "open" and need.read != before.read:
            tell_of_need(tx, "need.changed", need, now)
        _revalue(tx, crm, need)
    return _understood(crm, need, conversation.language)


def confirm_need(crm: Crm, turn: Turn, need_id: str) -> UnderstoodNeed:
    """He said yes: the need is open. An older one that it contradicts is marked so."""
    now = crm.clock()
    with crm.store.write() as tx:
        conversation, need = _opened(tx, turn, need_id, "confirmed")
        if need.status == "understood":
            need = replace(confirmed(need), confirmed_at=now, updated_at=now)
            tx.needs.save(need)
            tell_of_need(tx, "need.confirmed", need, now)
            for old in tx.needs.of_customer(need.customer_id, "open") if need.customer_id else ():
                if old.need_id != need.need_id and contradicts(need, old):
                    old = replace(old, status="contradicted", updated_at=now)
                    tx.needs.save(old)
                    tell_of_need(tx, "need.changed", old, now)
            _revalue(tx, crm, need)
    return _understood(crm, need, conversation.language)


def withdraw_need(crm: Crm, turn: Turn, need_id: str) -> Need:
    """He wants nothing of it any more; it is kept as withdrawn and no offer uses it."""
    with crm.store.write() as tx:
        _, need = _found(tx, turn, need_id)
        if need.status != "withdrawn":
            was_confirmed = need.confirmed_at is not None
            need = replace(need, status="withdrawn", updated_at=crm.clock())
            tx.needs.save(need)
            if was_confirmed:  # Nobody was told of a need that he never confirmed.
                tell_of_need(tx, "need.withdrawn", need, need.updated_at)
            _revalue(tx, crm, need)
    return need


def question_for(crm: Crm, turn: Turn, need_id: str) -> Question | None:
    """The next probe, noted as asked: at most two a need, none whose answer is known; None: no more.

    The same turn run again gets the same question.
    """
    with crm.store.write() as tx:
        conversation, need = _found(tx, turn, need_id)
        if need.probes and need.probes[-1].message_id == turn.message_id:
            return question_asked(need, crm.firm, conversation.language)
        owner = _verified(conversation)
        known = (
            tx.needs.of_customer(owner) if owner else tx.needs.of_conversation(conversation.conversation_id)
        )
        others = [other for other in known if other.need_id != need_id]
        question = next_question(need, crm.firm, conversation.language, others)
        if question is not None:
            tx.needs.save(replace(need, probes=(*need.probes, Probe(question.id, turn.message_id))))
    return question


def needs_of(crm: Crm, customer_id: str) -> list[Need]:
    """All needs of a customer, the newest first."""
    with crm.store.read() as tx:
        return tx.needs.of_customer(customer_id)


def needs_board(crm: Crm, wanted: BoardFilter) -> NeedsBoard:
    """The marketer's view, from one query."""
    with crm.store.read() as tx:
        return tx.needs.board(wanted)


def _revalue(tx: Transaction, crm: Crm, need: Need) -> None:
    """What he wants and has not got is what he could be worth."""
    if need.customer_id is not None:
        refresh_value(tx, crm.firm, need.customer_id, crm.clock())


def _read(crm: Crm, turn: Turn, text: str, previous_question: str | None) -> ReadNeed:
    with crm.store.read() as tx:
        language = _language(tx, turn)
    today = crm.firm.today(crm.clock())
    return read_need(text, crm.firm, crm.language, today, previous_question, language)


def _language(tx: Transaction, turn: Turn) -> str:
    conversation = tx.conversations.get(turn.conversation_id)
    return conversation.language if conversation else "en"


def _opened(tx: Transaction, turn: Turn, need_id: str, wanted: str) -> tuple[Conversation, Need]:
    conversation, need = _found(tx, turn, need_id)
    if need.status not in ("understood", "open"):
        raise NeedIsClosed(need, wanted)
    return conversation, need


def _found(tx: Transaction, turn: Turn, need_id: str) -> tuple[Conversation, Need]:
    """The need, if it is of this conversation or of the verified customer in it."""
    conversation = guard(tx, turn)
    need = tx.needs.get(need_id)
    if need is None:
        raise UnknownNeed(need_id)
    owner = _verified(conversation)
    here = need.conversation_id == conversation.conversation_id and need.customer_id in (None, owner)
    if not here and (owner is None or need.customer_id != owner):
        raise UnknownNeed(need_id)
    return conversation, need


def _verified(conversation: Conversation) -> str | None:
    """Who the customer has proved to be; a claim alone is nobody."""
    return conversation.customer_id if conversation.verified_at else None


def _source(turn: Turn, what: str) -> str:
    return f"message:{turn.message_id}:{what}"


def _understood(crm: Crm, need: Need, language: str) -> UnderstoodNeed:
    return UnderstoodNeed(need, describe(need.read, crm.firm, language))
