"""The checks of the dialogue's data pass on ours, and find each kind of mistake."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.dialogue import check_dialogue
from tests.builders import ROOT

Edit = Callable[[str], str]


def a_copy(folder: Path) -> Path:
    for name in ("data", "actions"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "domain.yml", folder / "domain.yml")
    return folder


def replaced(old: str, new: str) -> Edit:
    def edit(text: str) -> str:
        assert old in text, f"{old!r} is no longer in the file; mend this test"
        return text.replace(old, new, 1)

    return edit


def test_ours_agrees_with_itself() -> None:
    assert [str(problem) for problem in check_dialogue(ROOT)] == []


@pytest.mark.parametrize(
    ("file", "edit", "says"),
    [
        ("domain.yml", replaced("  utter_greet:\n", "  utter_thank:\n"), "duplicate key"),
        ("domain.yml", replaced('payload: "/ask_human"', 'payload: "/ask_humann"'), "no intent 'ask_humann'"),
        ("domain.yml", replaced('payload: "/ask_human"', 'payload: "ask_human"'), "is not /intent"),
        ("domain.yml", replaced("{{", "{"), "must be doubled"),
        ("domain.yml", replaced("  utter_goodbye:", "  utter_farewell:"), "utter_farewell is never used"),
        ("domain.yml", replaced("  utter_goodbye:", "  utter_farewell:"), "utter_goodbye is not among"),
        ("domain.yml", replaced("  - action_why\n", ""), "action_why is not among the actions"),
        ("domain.yml", replaced("  callback_time:\n", "  callback_hour:\n"), "'callback_time' is not a slot"),
        ("actions/courtesy.py", replaced('response="utter_deny"', 'text="Fine."'), "in its own words"),
        (
            "actions/offers.py",
            replaced('get_slot("offer_answer")', 'get_slot("answer")'),
            "'answer' is not a slot",
        ),
        ("actions/why.py", lambda text: text + "\n# more\n" * 200, "at most 200"),
        ("data/nlu/escalation.yml", lambda text: re.sub(r"\n    - .*", "", text), "has 0 of 40 examples"),
        ("data/rules/store.yml", replaced("intent: ask_store_info", "intent: thank"), "no rule answers"),
    ],
)
def test_each_kind_of_mistake_is_found_with_its_file_and_line(
    tmp_path: Path, file: str, edit: Edit, says: str
) -> None:
    root = a_copy(tmp_path)
    path = root / file
    path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")
    found = [problem for problem in check_dialogue(root) if says in problem.what]
    assert found, f"nothing says {says!r}"
    assert found[0].line >= 1


def test_a_leak_of_evaluation_texts_is_a_problem(tmp_path: Path) -> None:
    script = tmp_path / "leakcheck.py"
    script.write_text("raise SystemExit(1)\n")
    assert any("evaluation texts" in problem.what for problem in check_dialogue(ROOT, script))
    script.write_text("raise SystemExit(0)\n")
    assert check_dialogue(ROOT, script) == []
