"""What the database says in the end, against what each customer was acknowledged and shown."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from crmcore.store.database import Store, raw_connection
from crmcore.store.schema import incidents, messages, offered_buttons
from tests.processes.load import Customer


@dataclass
class Verdict:
    """Counts of messages. The first four must be 0; ``wrong`` says in words what is behind them."""

    lost: int = 0  # Acknowledged and not in the log as it was sent.
    doubled: int = 0  # Twice in the log, twice answered, or pushed twice over one stream.
    out_of_order: int = 0  # Not in the order in which they were sent, or answered in another one.
    unanswered: int = 0  # Neither an answer nor an apology after it.
    answered: int = 0
    apologised: int = 0  # One honest sentence instead of an answer,
    covered: int = 0  # or none of its own, because one such sentence was said for several.
    to_a_person: int = 0  # Said while a person was to answer, after a hand-over.
    not_shown: int = 0  # In the log and never pushed to the customer.
    incidents: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.wrong


def judge(database_url: str, customers: Sequence[Customer], echoes: bool) -> Verdict:
    """``echoes``: the brain answers each message with its own words, so each answer names its message."""
    verdict = Verdict()
    store = Store(database_url)
    with raw_connection(store) as connection:
        rows = connection.execute(select(messages).order_by(messages.c.conversation_id, messages.c.seq))
        logs = defaultdict(list)
        for row in rows.mappings():
            logs[row["conversation_id"]].append(row)
        again = select(offered_buttons.c.conversation_id, offered_buttons.c.seq).where(
            offered_buttons.c.payload.like("gateway:again:%")
        )
        apologies = {tuple(row) for row in connection.execute(again)}
        for (kind,) in connection.execute(select(incidents.c.kind)):
            verdict.incidents[kind] = verdict.incidents.get(kind, 0) + 1
    store.dispose()
    for customer in customers:
        _judge_one(verdict, customer, logs[customer.conversation_id], apologies, echoes)
    return verdict


def _judge_one(verdict: Verdict, customer: Customer, log: list, apologies: set, echoes: bool) -> None:  # type: ignore[type-arg]
    def wrong(what: str) -> None:
        verdict.wrong.append(f"{customer.name}: {what}")

    if [row["seq"] for row in log] != list(range(1, len(log) + 1)):
        verdict.out_of_order += 1
        wrong("the sequence numbers have a gap")
    said = [row for row in log if row["sender"] == "customer"]
    stored = {(row["client_id"], row["text"], row["seq"]) for row in said}
    for sent in customer.acknowledged:
        if (sent.client_id, sent.text, sent.seq) not in stored:
            verdict.lost += 1
            wrong(f"{sent} is not in the log")
    if len(said) > len(customer.acknowledged):
        verdict.doubled += len(said) - len(customer.acknowledged)
        wrong("more messages than were sent")
    if [row["client_id"] for row in said] != [sent.client_id for sent in customer.acknowledged]:
        verdict.out_of_order += 1
        wrong("not in the order of sending")
    _judge_answers(verdict, wrong, said, log, apologies, echoes)
    shown = [(message["seq"], message["text"]) for message in customer.shown]
    missing = {(row["seq"]) for row in log} - {seq for seq, _ in shown}
    if missing:
        verdict.not_shown += len(missing)
        wrong(f"never pushed: {sorted(missing)}")
    if customer.doubled_on_stream or customer.gaps_on_stream:
        verdict.doubled += customer.doubled_on_stream
        verdict.out_of_order += customer.gaps_on_stream
        wrong(f"{customer.doubled_on_stream} pushed twice, {customer.gaps_on_stream} gaps on the stream")
    for unexpected in customer.unexpected:
        wrong(unexpected)


def _judge_answers(verdict: Verdict, wrong, said: list, log: list, apologies: set, echoes: bool) -> None:  # type: ignore[type-arg,no-untyped-def]
    replies = defaultdict(list)
    for row in log:
        if row["in_reply_to"] is not None:
            replies[row["in_reply_to"]].append(row)
    apology_seqs = [row["seq"] for row in log if (row["conversation_id"], row["seq"]) in apologies]
    order = [row["in_reply_to"] for row in log if row["in_reply_to"] is not None]
    if order != sorted(order):
        verdict.out_of_order += 1
        wrong("answered in another order than written")
    handed_over = min((row["seq"] for row in log if row["sender"] == "system"), default=math.inf)
    for row in said:
        mine = replies[row["id"]]
        sorry = [r for r in mine if (r["conversation_id"], r["seq"]) in apologies]
        words = [r for r in mine if r not in sorry]
        if sorry:
            verdict.apologised += 1
        elif words:
            verdict.answered += 1
        elif any(seq > row["seq"] for seq in apology_seqs):
            verdict.covered += 1
        elif row["seq"] > handed_over:
            verdict.to_a_person += 1
        else:
            verdict.unanswered += 1
            wrong(f"{row['client_id']} ({row['state']}) has no answer")
        seqs = [r["seq"] for r in mine]
        one_turn = not seqs or seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        if (sorry and words) or len(sorry) > 1 or not one_turn or (echoes and len(words) > 1):
            verdict.doubled += 1
            wrong(f"{row['client_id']} was answered twice: {[r['text'] for r in mine]}")
        if echoes and words and words[0]["text"] != f"You said: {row['text']}":
            verdict.out_of_order += 1
            wrong(f"{row['client_id']} got the answer to something else: {words[0]['text']}")
