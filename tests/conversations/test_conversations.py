"""Whole conversations, talked live: each file beside this one is a behaviour."""

import re
import sqlite3
from dataclasses import dataclass

import pytest

from tests.conversations.desk import Desk
from tests.conversations.script import Responses, Script, Turn, scripts
from tests.conversations.talk import Customer, Heard
from tests.live.product import RunningProduct

RESPONSES = Responses()
ANNA = "anna@alderandbell.example"


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.title)
def test_conversation(product: RunningProduct, script: Script) -> None:
    Performance(product, script).play()


@dataclass
class Performance:
    """One script, played by a customer and, when it needs one, an account manager."""

    product: RunningProduct
    script: Script

    def play(self) -> None:
        token = (
            None
            if self.script.customer == "stranger"
            else self.product.sign_in_token(self._best(self.script.customer))
        )
        self.customer = Customer(self.product.url, token)
        assert "digital assistant" in self.customer.greeting[0]["text"]
        needs_anna = any(turn.anna for turn in self.script.turns)
        anna = Desk(self.product.url, ANNA, self.product.password_of(ANNA)) if needs_anna else None
        try:
            for number, turn in enumerate(self.script.turns, start=1):
                self._check(number, turn, self._act(turn, anna))
        finally:
            if anna:
                anna.is_on_duty(False)

    def _act(self, turn: Turn, anna: Desk | None) -> Heard:
        if turn.says is not None:
            return self.customer.says(self._filled(turn.says))
        if turn.presses is not None:
            return self.customer.presses(turn.presses)
        assert anna
        assert turn.anna
        match turn.anna:
            case "takes over":
                anna.takes_over(self.customer.conversation_id)
            case "gives back":
                anna.gives_back(self.customer.conversation_id)
            case words:
                anna.says(self.customer.conversation_id, words, self.customer.seen)
        return self.customer.hears()

    def _check(self, number: int, turn: Turn, heard: Heard) -> None:
        did = turn.says or turn.presses or turn.anna
        what = f"turn {number} of {self.script.title!r}, {did!r}: heard {heard}"
        if turn.notice:
            assert turn.notice in heard.text, what
        if turn.saying:
            assert turn.saying in heard.text, what
        if turn.never:
            assert turn.never not in heard.text, what
        if isinstance(turn.hears, str):
            assert turn.hears in heard.text, what
            return
        said = [text for sender, text in zip(heard.senders, heard.texts, strict=True) if sender == "bot"]
        names = [RESPONSES.named(text) for text in said]
        fits = len(names) == len(turn.hears) and all(
            set(expected.split(" or ")) & possible
            for expected, possible in zip(turn.hears, names, strict=True)
        )
        assert fits, f"{what}\nexpected {turn.hears}\nheard    {names}"

    def _filled(self, text: str) -> str:
        """The text with what the customer named under ``knows`` knows."""
        if text not in ("{email}", "{order}", "{code}"):
            return text
        assert self.script.knows
        customer_id = self._best(self.script.knows)
        found = {
            "email": "select value from contacts where kind = 'email' and current and customer_id = ?",
            "order": "select order_id from orders where customer_id = ? order by ordered_at desc limit 1",
            "code": "select body from outbox where recipient = "
            "(select value from contacts where kind = 'email' and current and customer_id = ?) "
            "order by outbox_id desc limit 1",
        }
        name = text.strip("{}")
        with sqlite3.connect(self.product.home / "rapport.db") as database:
            (value,) = database.execute(found[name], (customer_id,)).fetchone()
        if name == "code":
            code = re.search(r"\b\d{6}\b", value)
            assert code, "the letter holds no code"
            return code.group()
        return str(value)

    def _best(self, who: str) -> str:
        """The most valuable customer of a tier, as the demonstration shop offers him, or club ``member``."""
        query = (
            "select c.customer_id from current_values c join value_snapshots s using (customer_id, run_id) "
            "left join contracts m using (customer_id) "
            "where s.tier = :who or (:who = 'member' and s.tier = 'core' and m.contract_id is not null) "
            "order by s.clv_minor desc, c.customer_id limit 1"
        )
        with sqlite3.connect(self.product.home / "rapport.db") as database:
            return str(database.execute(query, {"who": who}).fetchone()[0])
