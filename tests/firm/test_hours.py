"""Opening hours, in the firm's own zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_firm

HOURS = a_firm().hours


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 3, 11, 9, 0, tzinfo=UTC), True),  # Wednesday, at the minute.
        (datetime(2026, 3, 11, 8, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 11, 18, 0, tzinfo=UTC), False),
        (datetime(2026, 7, 8, 8, 30, tzinfo=UTC), True),  # Summer: 9:30 in Dublin.
        (datetime(2026, 7, 8, 17, 30, tzinfo=UTC), False),
        (datetime(2026, 3, 12, 19, 30, tzinfo=UTC), True),  # The long Thursday.
        (datetime(2026, 3, 15, 12, 0, tzinfo=UTC), False),  # A Sunday.
        (datetime(2026, 3, 17, 12, 0, tzinfo=UTC), False),  # A holiday of each year.
        (datetime(2026, 4, 6, 12, 0, tzinfo=UTC), False),  # A holiday of this year.
    ],
)
def test_the_shop_is_open_by_its_own_clock(moment: datetime, is_open: bool) -> None:
    assert a_firm().is_open(moment) is is_open


def test_the_next_opening_steps_over_christmas_and_the_weekend() -> None:
    after_hours = datetime(2026, 12, 24, 20, 0, tzinfo=UTC)
    assert HOURS.next_opening(after_hours) == datetime(2026, 12, 28, 9, 0, tzinfo=UTC)


def test_while_open_the_next_opening_is_the_one_after() -> None:
    assert HOURS.next_opening(datetime(2026, 3, 11, 10, tzinfo=UTC)) == datetime(2026, 3, 12, 9, tzinfo=UTC)


def test_closing_time_is_known_only_while_open() -> None:
    assert HOURS.closes_at(datetime(2026, 3, 11, 10, tzinfo=UTC)) == datetime(2026, 3, 11, 18, tzinfo=UTC)
    assert HOURS.closes_at(datetime(2026, 3, 11, 20, tzinfo=UTC)) is None


@given(st.integers(0, 2 * 366 * 24 * 60))
def test_the_next_opening_is_an_opening_and_none_is_skipped(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = HOURS.next_opening(now)
    assert opens is not None
    assert now < opens
    assert HOURS.is_open(opens)
    assert not HOURS.is_open(opens - timedelta(microseconds=1))
    if not HOURS.is_open(now):
        halfway = now + (opens - now) / 2
        assert not HOURS.is_open(halfway)
