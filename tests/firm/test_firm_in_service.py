"""The catalogue in the database: seeded, applied, compared, exported."""

from pathlib import Path

import pytest

from crmcore.firm import FirmError
from crmcore.store.database import Store
from crmcore.usecases.firm import NoFirm, apply_firm, diff_firm, export_firm, firm_in_service
from tests.builders import OPEN_HOURS, ROOT

SEED = ROOT / "firm.yml"
TEXT = SEED.read_text(encoding="utf-8")
OTHER = TEXT.replace("name: Alder & Bell", "name: Bell & Alder")


def test_an_empty_database_takes_the_seed_and_exports_it_to_the_letter(store: Store) -> None:
    assert firm_in_service(store, SEED, OPEN_HOURS).name == "Alder & Bell"
    assert export_firm(store) == TEXT


def test_the_database_wins_over_the_file(store: Store, tmp_path: Path) -> None:
    apply_firm(store, OTHER, OPEN_HOURS)
    assert firm_in_service(store, SEED, OPEN_HOURS).name == "Bell & Alder"
    assert firm_in_service(store, tmp_path / "gone.yml", OPEN_HOURS).name == "Bell & Alder"


def test_applying_the_same_text_changes_nothing_and_an_old_one_is_a_new_version(store: Store) -> None:
    first = apply_firm(store, TEXT, OPEN_HOURS)
    assert apply_firm(store, TEXT, OPEN_HOURS) == type(first)(first.version, False)
    second = apply_firm(store, OTHER, OPEN_HOURS)
    third = apply_firm(store, TEXT, OPEN_HOURS)
    fourth = apply_firm(store, OTHER, OPEN_HOURS)
    assert first.version < second.version < third.version < fourth.version
    assert export_firm(store) == OTHER


def test_a_wrong_text_never_reaches_service(store: Store) -> None:
    apply_firm(store, TEXT, OPEN_HOURS)
    with pytest.raises(FirmError):
        apply_firm(store, OTHER.replace("currency: EUR", "currency: Taler"), OPEN_HOURS)
    assert export_firm(store) == TEXT


def test_a_difference_shows_the_lines(store: Store) -> None:
    apply_firm(store, TEXT, OPEN_HOURS)
    assert diff_firm(store, TEXT) == ""
    assert "-name: Alder & Bell\n+name: Bell & Alder\n" in diff_firm(store, OTHER)


def test_nothing_applied_is_said(store: Store) -> None:
    with pytest.raises(NoFirm, match="rapport firm apply"):
        export_firm(store)
