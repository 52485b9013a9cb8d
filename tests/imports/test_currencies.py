"""Amounts in several currencies, finer than the minor unit, and margins."""

from decimal import Decimal
from pathlib import Path

import pytest

from crmcore.crm import Crm
from crmcore.imports.errors import UnreadableFile, WrongMapping
from tests.imports.files import a_file, imported, orders_in

MIXED = """order_id,customer_id,date,amount,currency
A1,anna,2025-03-01,10.00,EUR
A2,anna,2025-03-01,10.00,usd
A3,ben,2025-03-08,1500,JPY
A4,ben,2025-03-08,10.00,
"""
RATES = """date,currency,rate
2025-03-01,USD,0.9135
2025-03-05,JPY,0.006145
2025-03-08,USD,0.5
"""


def test_foreign_amounts_are_counted_at_the_rate_of_their_day(crm_on_both: Crm, tmp_path: Path) -> None:
    rates = a_file(tmp_path, RATES, "rates.csv")
    report = imported(crm_on_both, a_file(tmp_path, MIXED), rates=rates)
    assert [row[3] for row in orders_in(crm_on_both)] == [
        1000,
        914,
        922,
        1000,
    ]  # Half to even: 913.5, 921.75.
    assert report.total == Decimal("38.36")
    assert imported(crm_on_both, a_file(tmp_path, MIXED), rates=rates).unchanged == 4


def test_without_rates_foreign_amounts_are_refused(crm: Crm, tmp_path: Path) -> None:
    report = imported(crm, a_file(tmp_path, MIXED))
    assert report.outcome == "refused"
    assert report.rejected == 2
    assert all("--rates" in reason.text for reason in report.reasons)


def test_a_rate_holds_for_a_month_and_not_backwards(crm: Crm, tmp_path: Path) -> None:
    rates = a_file(tmp_path, "date,currency,rate\n2025-03-10,USD,0.9\n", "rates.csv")
    rows = "A1,a,2025-03-09,1,USD\nA2,a,2025-04-10,1,USD\nA3,a,2025-04-11,1,USD\nA4,a,2025-04-01,1,XXX\n"
    report = imported(crm, a_file(tmp_path, MIXED.split("\n")[0] + "\n" + rows), rates=rates, keep_good=True)
    assert (report.imported, report.rejected) == (1, 3)
    assert orders_in(crm)[0][0] == "A2"


def test_a_revised_rate_corrects_and_does_not_double(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,date,amount,currency\nanna,2025-03-01,10.00,USD\n"
    for rate, amount in (("0.9", 900), ("0.8", 800)):
        rates = a_file(tmp_path, f"date,currency,rate\n2025-03-01,USD,{rate}\n", "rates.csv")
        imported(crm, a_file(tmp_path, text), rates=rates)
        assert [row[3] for row in orders_in(crm)] == [amount]


@pytest.mark.parametrize(
    ("rates", "why"),
    [
        ("day,currency,rate\n", "needs the columns"),
        ("date,currency,rate\n2025-03-01,USD,-1\n", "line 2.*not above zero"),
        ("date,currency,rate\n03/04/2025,USD,0.9\n", "line 2.*two days"),
    ],
)
def test_a_file_of_rates_is_read_as_strictly(crm: Crm, tmp_path: Path, rates: str, why: str) -> None:
    with pytest.raises(UnreadableFile, match=why):
        imported(crm, a_file(tmp_path, MIXED), rates=a_file(tmp_path, rates, "rates.csv"))


def test_a_sign_beside_amounts_must_fit_the_currency(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,date,amount\nanna,2025-03-01,$10.00\n"
    with pytest.raises(WrongMapping, match=r"bear \$"):
        imported(crm, a_file(tmp_path, text))
    rates = a_file(tmp_path, RATES, "rates.csv")
    assert imported(crm, a_file(tmp_path, text), mapping={"currency": "=USD"}, rates=rates).total == Decimal(
        "9.14"
    )


def test_amounts_finer_than_a_cent_are_refused_or_rounded_aloud(crm: Crm, tmp_path: Path) -> None:
    rows = "anna,2025-03-01,3,0.335\nanna,2025-03-02,2,0.335\nben,2025-03-03,1,0.30000000000000004\n"
    text = f"customer_id,date,qty,price\n{rows}"
    report = imported(crm, a_file(tmp_path, text), decimal=".")
    assert (report.rejected, "--round" in report.reasons[0].text) == (1, True)
    rounded = imported(crm, a_file(tmp_path, text), decimal=".", rounding=True)
    assert (rounded.rounded, rounded.total) == (1, Decimal("1.97"))  # 1.005 to 1.00, half to even.


def test_sums_and_products_of_columns_are_exact(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,date,n,price,off\nanna,2025-03-01,1000000,999999.99,0.99\nben,2025-03-02,3,0.1,0.05\n"
    report = imported(crm, a_file(tmp_path, text), mapping={"amount": "n*price - off*1.0"}, keep_good=True)
    assert report.total == Decimal("999999989999.01") + Decimal("0.25")
    big = text.replace("1000000,", "100000000000,")
    refused = imported(crm, a_file(tmp_path, big), mapping={"amount": "n*price-off"}, keep_good=True)
    assert "larger than any amount" in refused.reasons[0].text


@pytest.mark.parametrize(
    ("columns", "value", "margin"),
    [("margin", "4.00", 400), ("margin_share", "0.35", 350), ("cogs", "6.505", 350), ("margin", "", None)],
)
def test_the_margin_is_told_as_money_as_a_share_or_by_its_cost(
    crm: Crm, tmp_path: Path, columns: str, value: str, margin: int | None
) -> None:
    text = f"customer_id,date,amount,{columns}\nanna,2025-03-01,10.00,{value}\n"
    imported(crm, a_file(tmp_path, text), decimal=".")
    assert orders_in(crm)[0][4] == margin


def test_a_share_above_one_is_refused(crm: Crm, tmp_path: Path) -> None:
    text = "customer_id,date,amount,margin_share\nanna,2025-03-01,10.00,35\n"
    assert "35 % as 0.35" in imported(crm, a_file(tmp_path, text)).reasons[0].text
