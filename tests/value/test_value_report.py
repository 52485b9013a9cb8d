"""``rapport value report``: one page, its figures, and what it says where there are none."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from typer.testing import CliRunner

from cli.report.of_values import worth
from cli.report.page import render
from cli.value import app
from crmcore.crm import Crm
from crmcore.store.database import Store
from crmcore.usecases.value import value_card
from crmcore.usecases.value_backtest import OutcomeUnknown
from crmcore.usecases.value_findings import Found, Missing
from crmcore.usecases.value_holdout import HoldOut
from crmcore.usecases.value_in_force import Values
from crmcore.usecases.value_report import ValueReport, value_report
from crmcore.usecases.value_score import score
from crmcore.value.forecasting import Variant
from tests.browser import browser, context, page  # noqa: F401
from tests.builders import Clock, a_crm, a_customer
from tests.value.shop import a_small_world, add_customers, add_order, open_shop


@dataclass(frozen=True)
class Shop:
    """A firm of simulated customers with published values, its report and the page of it."""

    crm: Crm
    ids: list[str]
    report: ValueReport
    html: str

    @property
    def held(self) -> HoldOut:
        assert isinstance(self.report.hold_out, HoldOut)
        return self.report.hold_out

    @property
    def values(self) -> Values:
        assert isinstance(self.report.values, Values)
        return self.report.values


@pytest.fixture(scope="module")
def shop(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    path = tmp_path_factory.mktemp("shop") / "rapport.db"
    shutil.copy(migrated_sqlite, path)
    store = Store(f"sqlite:///{path}")
    crm = a_crm(store)
    ids = open_shop(crm, customers=400)
    score(crm)
    report = value_report(crm)
    yield Shop(crm, ids, report, render(report))
    store.dispose()


def ran(crm: Crm, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["report", *arguments], obj=lambda: crm)


class Elements(HTMLParser):
    """What a page is made of: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._style else data


# --- the figures ---


def test_without_dates_the_last_third_of_the_log_is_held_out(shop: Shop) -> None:
    log, held = shop.report.log, shop.held
    assert log is not None
    days = (log.last_day - log.first_day).days + 1
    assert held.by_default
    assert held.horizon == days // 3 // 7 * 7
    assert held.until + timedelta(days=held.horizon) == log.last_day
    assert "these are the last third of the log" in shop.html


def test_the_hold_out_counts_what_the_known_customers_did_in_those_days(shop: Shop) -> None:
    held, crm = shop.held, shop.crm
    purchases, spend = held.contests
    assert (purchases.measure, spend.measure) == ("purchases", "spend")
    with crm.store.read() as tx:
        orders = tx.value.orders_before(crm.clock())
    bought = [(row.customer_id, row.at.astimezone(crm.firm.zone).date(), row.amount_minor) for row in orders]
    known = {customer for customer, day, _ in bought if day <= held.until}
    later = [row for row in bought if row[0] in known and row[1] > held.until]
    assert held.customers == len(known)
    assert purchases.actual == len({(customer, day) for customer, day, _ in later})
    assert spend.actual == pytest.approx(sum(amount for *_, amount in later) / 100)
    assert spend.lift[0].actual == spend.entrants[0].top_decile
    assert purchases.foreseen / purchases.actual == purchases.entrants[0].total_share
    share = f"{purchases.foreseen / purchases.actual:.0%}".replace("%", "\u00a0%")
    assert f"The model foresees {share} of the hold-out’s purchases" in shop.html


def test_tracking_ends_with_all_repeat_purchases_of_the_customers_known_then(shop: Shop) -> None:
    held = shop.held
    first, *_, last = held.tracking
    assert (first.actual, first.expected) == (0, 0)
    assert last.day == held.until + timedelta(days=held.horizon)
    until_then = next(week for week in held.tracking if week.day == held.until)
    assert last.actual - until_then.actual == held.contests[0].actual


def test_the_tiers_add_up_to_the_published_values(shop: Shop) -> None:
    cards = [card for i in shop.ids if (card := value_card(shop.crm, i)) is not None]
    values = shop.values
    assert values.total == sum(card.clv for card in cards) == sum(tier.value for tier in values.tiers)
    best = next(tier for tier in values.tiers if tier.tier == "MVC")
    assert best.customers == sum(card.tier == "MVC" for card in cards) == 40
    assert best.value == sum(card.clv for card in cards if card.tier == "MVC")
    assert sum(bar.customers for bar in values.bars) == len(cards)
    assert not isinstance(values.loyalty, Missing)
    assert sum(group.customers for group in values.loyalty.groups) == len(cards)


def test_every_segment_and_the_whole_firm_have_a_range(shop: Shop) -> None:
    values = shop.values
    assert not isinstance(values.loyalty, Missing)
    assert values.low is not None
    assert values.high is not None
    assert values.low < float(values.total) < values.high
    for segment in (*values.tiers, *values.loyalty.groups):
        assert segment.low is not None
        assert segment.high is not None
        assert segment.low <= float(segment.value) <= segment.high
    with shop.crm.store.read() as tx:
        figures = tx.value.current_figures()
    of_each = sum((row.clv_high_minor or 0) - (row.clv_low_minor or 0) for row in figures) / 100
    assert values.high - values.low < 0.5 * of_each  # Chances average out.
    table = next(figure.table for figure in worth(values))
    assert table.head[4] == "± (19 of 20)"
    assert table.rows[-1][0] == "All"
    assert all(row[4].startswith("± €") for row in table.rows)


def test_ranges_are_unknown_where_no_deviation_was_kept(shop: Shop) -> None:
    """Values from before there were intervals."""
    table = next(figure.table for figure in worth(replace(shop.values, low=None, high=None)))
    assert table.rows[-1][4] == "unknown"


def test_it_says_on_which_layers_the_values_stand(shop: Shop) -> None:
    with shop.crm.store.read() as tx:
        run = tx.value.run_in_force()
    assert run is not None
    stored = run.parameters["forecaster"]
    variant = Variant() if stored is None else Variant(**stored["variant"])
    assert shop.values.variant == str(variant)
    assert f"The values stand on {str(variant).split(' + ')[0]}" in shop.html
    other = replace(shop.report, values=replace(shop.values, variant="Pareto/NBD + pace + habits"))
    assert "The values stand on Pareto/NBD with pace and habits." in render(other)


def test_a_small_world_is_counted_as_by_hand(crm: Crm) -> None:
    until = a_small_world(crm)
    report = value_report(crm, until, 14)
    held = report.hold_out
    assert isinstance(held, HoldOut)
    assert not held.by_default
    assert held.trials == ()
    assert [contest.actual for contest in held.contests] == [10, 70.0]
    # 8 customers each with 0 and 1 repeat purchases, 7 each with 2 and 3.
    assert [cell.customers for cell in held.by_frequency] == [8, 8, 7, 7]
    # Of customers 0 to 9 three had none (0, 4, 8), three one, two two, two three; each bought once more.
    assert [cell.actual for cell in held.by_frequency] == pytest.approx([3 / 8, 3 / 8, 2 / 7, 2 / 7])
    assert held.tracking[-1].day == until + timedelta(days=14)
    assert held.tracking[-1].actual == 8 * 1 + 7 * 2 + 7 * 3 + 10
    html = render(report)
    assert "the log is too short, or too few had bought again, to compare variants" in html


def test_with_one_of_the_dates_the_other_follows_from_the_end_of_the_log(crm: Crm) -> None:
    until = a_small_world(crm)
    report = value_report(crm, until)
    assert report.log is not None
    assert isinstance(report.hold_out, HoldOut)
    assert until + timedelta(days=report.hold_out.horizon) == report.log.last_day
    ahead = value_report(crm, horizon=10).hold_out
    assert isinstance(ahead, HoldOut)
    assert ahead.until + timedelta(days=10) == report.log.last_day


# --- the page ---


def test_the_page_asks_nobody_for_anything(shop: Shop) -> None:
    found = Elements(shop.html)
    assert not {"script", "link", "img", "iframe", "object", "use", "image"} & {tag for tag, _ in found.tags}
    for _, attributes in found.tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert (attributes.get(name) or "#").startswith("#")
    assert not re.search(r"@import|url\(", shop.html)


def test_no_figure_is_broken_and_nobody_is_named(shop: Shop) -> None:
    text = Elements(shop.html).text
    assert not re.search(r"\b(nan|inf|infinity|None|Decimal)\b", text)
    assert "NaN" not in shop.html
    assert not [customer for customer in shop.ids if customer in shop.html]


def test_every_chart_says_what_it_shows_and_has_its_numbers(shop: Shop) -> None:
    found = Elements(shop.html)
    drawn = [attributes for tag, attributes in found.tags if tag == "svg"]
    assert len(drawn) == 20, "ten charts, each for a wide and for a narrow page"
    assert {attributes.get("role") for attributes in drawn} == {"img"}
    assert shop.html.count("<title>") - 1 == shop.html.count("<desc>") == 20
    assert shop.html.count("<details><summary>The numbers</summary>") == 10


def test_what_somebody_typed_is_text(shop: Shop) -> None:
    typed = '</style><script>alert("x")</script>'
    found = Found("not_converged", f"a {typed} of `{typed}`", True, typed)
    values = replace(shop.values, diagnostics=(found,))
    report = replace(shop.report, firm=typed, hold_out=Missing(typed, typed), values=values)
    html = render(report)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 6
    assert html.count("</style>") == 1


def test_nothing_overflows_on_a_telephone(shop: Shop, page: Page, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "report.html"
    file.write_text(shop.html, encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    beyond = """() => [...document.querySelectorAll('main *, header *')]
        .filter(e => !e.closest('.scroll, .visually-hidden') && e.getBoundingClientRect().right > 390.5)
        .map(e => e.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond) == []
    assert asked == [file.as_uri()]


# --- where there is nothing to show ---


def test_a_firm_without_orders_is_told_how_to_begin(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    assert ran(crm, "--out", str(file)).exit_code == 0
    html = file.read_text(encoding="utf-8")
    assert "No order is in the books yet" in html
    assert "<code>rapport import orders FILE</code>" in html
    assert not re.search(r"\b(nan|inf|None)\b", Elements(html).text)


def test_a_firm_that_was_never_scored_is_told_to(crm: Crm) -> None:
    a_small_world(crm)
    report = value_report(crm)
    assert isinstance(report.values, Missing)
    assert report.values.mend == "Value everybody with `rapport score`."
    assert "<code>rapport score</code>" in render(report)


def test_a_scoring_that_was_not_published_says_why(crm: Crm) -> None:
    add_customers(crm, ["ana"])
    add_order(crm, "a", "ana", crm.firm.today(crm.clock()) - timedelta(days=1), "30.00")
    assert not score(crm).run.published
    values = value_report(crm).values
    assert isinstance(values, Missing)
    assert "was not published. No customer has been known for a day" in values.why
    assert "Import older orders too" in values.mend


def test_values_from_before_an_unpublished_scoring_say_so(crm: Crm, clock: Clock) -> None:
    open_shop(crm, customers=120)
    day = crm.firm.today(crm.clock())
    add_customers(crm, ["first"])
    add_order(crm, "first-1", "first", day - timedelta(days=740), "30.00")
    score(crm)
    clock.advance(hours=1)
    score(crm, as_of=day - timedelta(days=740))
    # On the first day nobody had bought again, so no forecast is made, which would take long.
    values = value_report(crm, day - timedelta(days=730), 1).values
    assert isinstance(values, Values)
    assert values.newer is not None
    assert "was not published" in values.newer.why
    assert values.customers == 121


def test_values_of_another_version_show_what_they_hold(crm_on_both: Crm) -> None:
    crm = crm_on_both
    a_customer(crm, tier="MVC")
    report = value_report(crm)
    assert isinstance(report.values, Values)
    assert isinstance(report.values.loyalty, Missing)
    assert isinstance(report.values.typical, Missing)
    text = Elements(render(report)).text
    assert text.count("made by another version of the model") == 1
    assert "100\u00a0% of the customers, the most valuable, hold 100\u00a0% of the value" in text


def test_orders_without_money_show_purchases_alone(crm: Crm) -> None:
    until = a_small_world(crm, amount="0.00")
    report = value_report(crm, until, 14)
    held = report.hold_out
    assert isinstance(held, HoldOut)
    assert [contest.measure for contest in held.contests] == ["purchases"]
    html = render(report)
    assert "of its spend" not in html
    assert not re.search(r"\b(nan|inf|None)\b", Elements(html).text)


def test_too_few_repeat_buyers_are_said_and_not_counted_on(crm: Crm) -> None:
    first = crm.firm.today(crm.clock()) - timedelta(days=200)
    add_customers(crm, [f"f{i:02d}" for i in range(25)])
    for i in range(25):
        add_order(crm, f"f{i}", f"f{i:02d}", first + timedelta(days=i), "9.00")
    add_order(crm, "again", "f03", first + timedelta(days=60), "9.00")
    add_order(crm, "late", "f04", first + timedelta(days=190), "9.00")
    report = value_report(crm)
    assert isinstance(report.hold_out, Missing)
    assert "Of 25 customers 1 had bought again" in report.hold_out.why
    assert report.hold_out.why in Elements(render(report)).text


def test_a_hold_out_in_which_nobody_bought_shows_no_percentages(crm: Crm) -> None:
    until = a_small_world(crm)
    held = value_report(crm, until, 4).hold_out
    assert isinstance(held, Missing)
    assert "None of 30 customers bought in the 4 days" in held.why


# --- the command ---


def test_the_command_writes_the_page_and_prints_the_same_figures(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr("cli.value_report.value_report", lambda *call: asked.append(call) or shop.report)
    file = tmp_path / "report.html"
    result = ran(shop.crm, "--out", str(file), "--until", "2025-09-30", "--horizon", "56", "--json")
    assert result.exit_code == 0, result.output
    assert asked == [(shop.crm, date(2025, 9, 30), 56)]
    figures = json.loads(result.stdout, parse_constant=lambda broken: pytest.fail(broken))
    assert figures["hold_out"]["until"] == shop.held.until.isoformat()
    assert figures["hold_out"]["contests"][0]["actual"] == shop.held.contests[0].actual
    assert figures["values"]["total"] == str(shop.values.total)
    assert file.read_text(encoding="utf-8") == shop.html


def test_the_command_refuses_days_that_are_not_over_and_files_it_cannot_write(
    crm: Crm, tmp_path: Path
) -> None:
    a_small_world(crm)
    today = crm.firm.today(crm.clock())
    assert isinstance(ran(crm, "--until", today.isoformat(), "--horizon", "10").exception, OutcomeUnknown)
    with pytest.raises(OutcomeUnknown, match="choose a day before it"):
        value_report(crm, today)
    with pytest.raises(OutcomeUnknown, match="at least one day"):
        value_report(crm, horizon=0)
    with pytest.raises(OutcomeUnknown, match="longer than any log"):
        value_report(crm, horizon=10**10)
    refused = ran(crm, "--out", str(tmp_path))
    assert refused.exit_code == 2
    said = " ".join(refused.output.replace("│", " ").split())  # Lines break where the path is long.
    assert "cannot be written" in said
