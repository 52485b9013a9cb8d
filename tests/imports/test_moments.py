"""Days and times as exports write them; what may mean two is refused."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmcore.imports.errors import UnreadableValue
from crmcore.imports.moments import DayOrder, day_orders, read_day, read_moment, read_time
from crmcore.tables.columns import Moments, evidence_in_days

DUBLIN = ZoneInfo("Europe/Dublin")
NEW_YORK = ZoneInfo("America/New_York")
LATEST = date(2026, 3, 12)


def moment(text: str, order: DayOrder | None = None, zone: ZoneInfo = DUBLIN) -> datetime | str:
    read = Moments(zone, LATEST, order).read(pa.array([text]))
    return read.problems.get(0) or datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=int(read.values[0])
    )


@pytest.mark.parametrize(
    "text",
    ["2024-03-31", "20240331", "31/03/2024", "31.3.2024", "03/31/2024", "31 Mar 2024", "March 31, 2024",
     "Sun, 31 March 2024", "31-Mar-2024", "2024/3/31"],
)  # fmt: skip
def test_many_ways_to_write_one_day(text: str) -> None:
    assert read_day(text) == date(2024, 3, 31)


@pytest.mark.parametrize("text", ["03/04/2024", "1.2.2024", "12-11-2024"])
def test_a_day_that_may_mean_two_is_refused_until_it_is_told(text: str) -> None:
    with pytest.raises(UnreadableValue, match="--date-format"):
        read_day(text)
    assert read_day("03/04/2024", "dmy") == date(2024, 4, 3)
    assert read_day("03/04/2024", "mdy") == date(2024, 3, 4)
    assert read_day("05/05/2024") == date(2024, 5, 5)


@pytest.mark.parametrize(
    "text", ["31/02/2024", "2023-02-29", "00/00/0000", "20241301", "soon", "1/2/24", "45000"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(UnreadableValue):
        read_day(text)


def test_one_day_above_twelve_settles_the_file_unless_another_contradicts() -> None:
    assert day_orders(["03/04/2024", "25/04/2024"]) == {"dmy"}
    assert day_orders(["25/04/2024", "04/25/2024"]) == {"dmy", "mdy"}
    mixed = pa.array(["2024-05-01 10:00", "03/04/2024 11:00", "04/25/2024", None])
    assert evidence_in_days(mixed) == {"mdy"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-07-01 12:00", datetime(2024, 7, 1, 11, tzinfo=UTC)),  # Summer time in Dublin.
        ("2024-01-01 12:00", datetime(2024, 1, 1, 12, tzinfo=UTC)),
        ("2024-07-01T12:00:00Z", datetime(2024, 7, 1, 12, tzinfo=UTC)),
        ("2024-07-01T12:00:00+02:00", datetime(2024, 7, 1, 10, tzinfo=UTC)),
        ("2024-07-01 12:00:00.25-0500", datetime(2024, 7, 1, 17, 0, 0, 250_000, tzinfo=UTC)),
        ("7/31/2024 1:05 PM", datetime(2024, 7, 31, 12, 5, tzinfo=UTC)),
        ("31.07.2024, 13:05:09", datetime(2024, 7, 31, 12, 5, 9, tzinfo=UTC)),
        ("2024-07-01", datetime(2024, 6, 30, 23, tzinfo=UTC)),  # The firm's midnight.
        ("2024-10-27 01:30", datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),  # Shown twice: the first.
        ("2024-03-31 03:30", datetime(2024, 3, 31, 2, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_the_firms(text: str, expected: datetime) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2027-01-01", "in the future"),
        ("0001-01-01", "before 1970"),
        ("1900-01-01 00:00:00", "before 1970"),
        ("2024-02-30 10:00:00", "no day of the calendar"),
        ("2024-02-20 25:00:00", "no clock shows"),
        ("03/04/2024 10:00", "may mean two days"),
        ("yesterday", "no date that is known"),
    ],
)
def test_a_row_says_what_is_wrong_with_its_moment(text: str, why: str) -> None:
    found = moment(text)
    assert isinstance(found, str)
    assert why in found


def test_a_pattern_reads_what_no_rule_knows() -> None:
    read = Moments(DUBLIN, LATEST, pattern="%d%b%y:%H%M").read(pa.array(["01JUL24:1200", "x"]))
    assert read.values[0] == datetime(2024, 7, 1, 11, tzinfo=UTC).timestamp() * 10**6
    assert "--date-format" in read.problems[1]
    assert read_moment("45474.5", "excel", DUBLIN) == datetime(2024, 7, 1, 11, tzinfo=UTC).timestamp() * 10**6


def test_clock_of_twelve_hours() -> None:
    assert read_time("12:00 AM")[0] == 0
    assert read_time("12:00pm")[0] == 12 * 3600 * 10**6
    with pytest.raises(UnreadableValue):
        read_time("13:00 pm")


LOCAL = st.datetimes(datetime(1970, 1, 3), datetime(2026, 3, 11))  # noqa: DTZ001
WRITTEN = st.one_of(
    LOCAL.map(lambda m: m.isoformat(" ", "seconds")),
    LOCAL.map(lambda m: m.isoformat("T")),
    LOCAL.map(lambda m: f"{m:%Y%m%d}"),
    LOCAL.map(lambda m: f"{m:%d.%m.%Y %H:%M}"),
    LOCAL.map(lambda m: f"{m:%d/%m/%Y}"),
    LOCAL.map(lambda m: m.isoformat("T") + "+05:30"),
    st.text("0123456789-/: ", max_size=10),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(WRITTEN, max_size=10), st.sampled_from([DUBLIN, NEW_YORK]))
def test_a_column_is_read_as_its_values_one_by_one(texts: list[str], zone: ZoneInfo) -> None:
    together = Moments(zone, LATEST, "dmy").read(pa.array(texts, pa.string()))
    for i, text in enumerate(texts):
        alone = Moments(zone, LATEST, "dmy").read(pa.array([text], pa.string()))
        assert together.missing[i] == alone.missing[0]
        assert together.problems.get(i) == alone.problems.get(0)
        if i not in together.problems:
            assert together.values[i] == alone.values[0]


@settings(max_examples=100, deadline=None)
@given(LOCAL, st.sampled_from([DUBLIN, NEW_YORK]))
def test_a_moment_is_the_one_that_the_calendar_says(local: datetime, zone: ZoneInfo) -> None:
    expected = local.replace(tzinfo=zone).astimezone(UTC)
    for text in (local.isoformat(" ", "microseconds"), f"{local:%d/%m/%Y %H:%M:%S.%f}"):
        assert moment(text, "dmy", zone) == expected


def test_typed_moments_keep_their_zone() -> None:
    zoned = pa.array([datetime(2024, 7, 1, 12, tzinfo=UTC)], pa.timestamp("ns", "America/New_York"))
    naive = pa.array([datetime(2024, 7, 1, 12), None], pa.timestamp("ms"))  # noqa: DTZ001
    reader = Moments(DUBLIN, LATEST)
    assert reader.read(zoned).values[0] == datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp() * 10**6
    assert reader.read(naive).values[0] == datetime(2024, 7, 1, 11, tzinfo=UTC).timestamp() * 10**6
    assert reader.read(naive).missing.tolist() == [False, True]
    days = pa.array([date(2024, 7, 1)])
    assert reader.read(days).values[0] == datetime(2024, 6, 30, 23, tzinfo=UTC).timestamp() * 10**6
