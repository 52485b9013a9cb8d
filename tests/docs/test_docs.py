"""What the pages point at is there: files, commands and settings."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from cli.__main__ import app
from tests.builders import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPERATOR = (ROOT / "docs" / "guide-operator.md").read_text(encoding="utf-8")
OURS = ("crmcore", "web", "cli", "serve")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@pages
def test_every_link_leads_to_a_file(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


@pages
def test_every_file_that_is_named_exists(page: Path) -> None:
    folders = r"crmcore|web|actions|cli|serve|data|bench|tests|understanding|checks|demo|scripts"
    for name in re.findall(rf"`((?:{folders})/[\w./-]+\w)`", page.read_text(encoding="utf-8")):
        assert (ROOT / name).exists(), name


@pages
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for said in re.findall(r"(?:`|^    )rapport ([a-z][a-z -]*)", text, re.MULTILINE):
        command = get_command(app)
        for word in said.split():
            commands = getattr(command, "commands", None)
            if commands is None or word.startswith("-"):
                break
            assert word in commands, f"rapport {said}"
            command = commands[word]


def test_the_operators_guide_lists_every_setting_and_no_other() -> None:
    sources = [path.read_text() for part in OURS for path in (ROOT / part).rglob("*.py")]
    read = set(re.findall(r'"(RAPPORT_[A-Z_]+)"', "\n".join(sources)))
    table = OPERATOR.split("## Settings")[1].split("\n## ")[0]
    names = (row.split("|")[1] for row in table.splitlines() if row.startswith("|"))
    listed = {name for first in names for name in re.findall(r"`(RAPPORT_\w+)`", first)}
    assert listed == read
