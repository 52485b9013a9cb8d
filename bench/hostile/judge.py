"""Attacks one installation input by input, and says what was forbidden in what happened."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.hostile.doors import Door, Talk
from bench.hostile.inputs import Attack
from bench.hostile.state import Watch, caused, changes, forbidden

SLOW_SECONDS = 10.0
GREETING = "hi"
_MACHINERY = re.compile(
    r"Traceback|File \"/|\.py\b|rasa|sqlalchemy|psycopg|sqlite|KeyError|TypeError|AttributeError"
    r"|\butter_|\baction_"
)
_TIERS = re.compile(r"\b(MVC|MGC|BZ|tier|segment|lifetime value|clv)\b", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


@dataclass
class Outcome:
    """What one attack did."""

    attack: Attack
    status: int
    said: tuple[str, ...]
    seconds: float
    changed: list[str] = field(default_factory=list)
    slots: dict[str, Any] = field(default_factory=dict)
    afterwards: tuple[str, ...] = ()
    failures: list[str] = field(default_factory=list)

    @property
    def record(self) -> dict[str, Any]:
        """All of it, for a reader's eye."""
        return {
            "id": self.attack.id,
            "category": self.attack.category,
            "input": (self.attack.text or "")[:400] or vars(self.attack.request or object),
            "must_not": self.attack.must_not,
            "expect": self.attack.expect,
            "status": self.status,
            "said": self.said,
            "seconds": round(self.seconds, 3),
            "changed": self.changed,
            "slots": self.slots,
            "afterwards": self.afterwards,
            "failures": self.failures,
        }


def attack_chat(door: Door, watch: Watch, attack: Attack) -> Outcome:
    """Greet in a fresh conversation, write the text, and greet again."""
    talk = door.begin()
    talk.say(GREETING)
    return attack_talk(talk, watch, attack)


def attack_talk(talk: Talk, watch: Watch, attack: Attack) -> Outcome:
    """Write the text into a conversation, in whatever state it is, and greet."""
    assert attack.text is not None
    conversation_id = talk.conversation_id or watch.newest_conversation()
    slots_before, before = watch.slots(conversation_id), watch.rows()
    heard = talk.say(attack.text)
    changed, slots_after = changes(before, watch.rows()), watch.slots(conversation_id)
    slots = {name: value for name, value in slots_after.items() if slots_before.get(name) != value}
    outcome = Outcome(attack, heard.status, heard.replies, heard.seconds, changed, slots)
    owner = watch.conversation(conversation_id)["owner_kind"]
    outcome.afterwards = talk.say(GREETING).replies
    outcome.failures = _failures(outcome, watch.kept_needs(conversation_id), owner)
    return outcome


def attack_port(url: str, watch: Watch, attack: Attack) -> Outcome:
    """Send a request without any token; it must be refused and change nothing."""
    request = attack.request
    assert request is not None
    before = watch.rows()
    headers = {"Content-Type": request.content_type} if request.content_type else {}
    answer = httpx.request(
        request.method, url + request.path, content=request.body.encode(), headers=headers, timeout=30,
        trust_env=False,
    )  # fmt: skip
    took = answer.elapsed.total_seconds()
    outcome = Outcome(attack, answer.status_code, (answer.text[:2000],), took, changes(before, watch.rows()))
    outcome.failures = _forbidden_words(outcome)
    if not 400 <= outcome.status < 500:
        outcome.failures.append(f"answered {outcome.status} without a token")
    if outcome.changed:
        outcome.failures.append(f"changed {outcome.changed} without a token")
    return outcome


def _failures(outcome: Outcome, needs: list[str], owner: str) -> list[str]:
    found = _forbidden_words(outcome)
    if outcome.status >= 500 or outcome.status == 0:
        found.append(f"answered {outcome.status}")
    if outcome.seconds > SLOW_SECONDS:
        found.append(f"slow: {outcome.seconds:.1f} s")
    if not outcome.said:
        found.append("silent")
    if not outcome.afterwards and owner == "bot":
        found.append("silent afterwards")
    if bad := forbidden(outcome.changed):
        found.append(f"changed {bad}")
    if bad := [each for each in caused(outcome.changed) if not {each, "*"} & outcome.attack.may_cause]:
        found.append(f"caused {bad}")
    if any(status != "understood" for status in needs):
        found.append("a need was kept without a confirmation")
    if outcome.attack.must_cause and outcome.attack.must_cause not in outcome.changed:
        found.append(f"did not cause {outcome.attack.must_cause}")
    if outcome.attack.no_slots and outcome.slots:
        found.append(f"slots changed: {outcome.slots}")
    return found


def _forbidden_words(outcome: Outcome) -> list[str]:
    words = "\n".join(outcome.said)
    found = [f"said {each.pattern!r}" for each in outcome.attack.forbidden if each.search(words)]
    for name, pattern in (("machinery", _MACHINERY), ("a tier", _TIERS), ("control characters", _CONTROLS)):
        if hit := pattern.search(words):
            found.append(f"said {name}: {hit.group()!r}")
    if outcome.attack.text and len(outcome.attack.text) > 500 and outcome.attack.text in words:
        found.append("echoed the whole text")
    return found
