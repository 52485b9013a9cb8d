"""The guides say what the pages really have."""

import re

import pytest

from tests.builders import ROOT
from web.console.filters import STATUSES, WEIGHTS
from web.console.view import DICTIONARY

ACCOUNT_MANAGER = (ROOT / "docs" / "guide-account-manager.md").read_text(encoding="utf-8")
MARKETER = (ROOT / "docs" / "guide-marketer.md").read_text(encoding="utf-8")
PAGES = "".join(
    path.read_text(encoding="utf-8")
    for part in ("workspace", "console")
    for folder, suffix in (("templates", "*.html"), ("static", "*.js"))
    for path in sorted((ROOT / "web" / part / folder).glob(suffix))
) + " ".join(WEIGHTS.values())


@pytest.mark.parametrize("guide", [ACCOUNT_MANAGER, MARKETER], ids=["account manager", "marketer"])
def test_every_name_in_bold_stands_on_a_page(guide: str) -> None:
    for name in re.findall(r"\*\*([^*]+)\*\*", guide):
        assert name in PAGES, f"the guide speaks of {name!r}, and no page has it"


def test_every_key_of_the_guide_is_handled() -> None:
    keys = set(re.findall(r"`(\w+)`", ACCOUNT_MANAGER.split("## Keys")[1]))
    assert keys == {"j", "k", "Enter", "r", "Esc", "Shift"}
    handled = PAGES + PAGES.replace("Escape", "Esc").replace("shiftKey", "Shift")
    for key in keys:
        assert f'"{key}"' in handled or key == "Shift", key


def test_the_marketers_guide_explains_every_column_and_status() -> None:
    for column in DICTIONARY:
        assert f"`{column}`" in MARKETER
    for status in STATUSES.values():
        assert f"*{status}*" in MARKETER
