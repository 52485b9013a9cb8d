"""The marketer's numbers equal the database, lead to their words, and name nobody."""

import csv
import io
import re
from collections import Counter
from typing import Any

import pytest

from crmcore.console import mask_personal
from crmcore.firm import Firm
from crmcore.needs.board import BoardFilter
from crmcore.processes import Process
from crmcore.usecases.processes import beat
from tests.console.market import SAID, a_market
from tests.staff.office import Office
from tests.workspace.shop import a_need
from web.console.view import title_of

TIER_HEADS = ["MVC", "MGC", "core", "BZ", "unknown"]


def _get(office: Office, path: str) -> str:
    answer = office.browser_of("Mara").get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def _table(html: str) -> dict[str, list[str]]:
    """The table beside the chart: category to its cells, as they are shown."""
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    rows = {}
    for row in body.split("</tr>")[:-1]:
        cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        rows[cells[0]] = cells[1:]
    return rows


def _expected(firm: Firm, lines: Any) -> dict[str, list[str]]:
    """The same table counted by hand out of what was put in; every line has a customer of his own."""
    rows = {}
    for category in {line[0] for line in lines}:
        mine = [line for line in lines if line[0] == category]
        tiers = Counter(line[1] or "unknown" for line in mine)
        sums = [sum(line[at] for line in mine if line[1]) for at in (2, 3)]
        money = [f"−€{-total:,}" if total < 0 else f"€{total:,}" for total in sums]
        rows[title_of(firm, category)] = [str(tiers[t]) for t in TIER_HEADS] + [str(len(mine)), *money]
    return rows


def test_the_table_equals_what_is_in_the_database(office: Office) -> None:
    assert _table(_get(office, "/console")) == _expected(office.crm.firm, SAID)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("category=turntable", lambda line: line[0] == "turntable"),
        ("tier=MVC", lambda line: line[1] == "MVC"),
        ("tier=unknown", lambda line: line[1] is None),
        ("status=open", lambda line: line[5] == "open"),
        ("period=7", lambda line: line[4] < 7),
        ("text=LATE%20evenings", lambda line: "late evenings" in line[6]),
        ("tier=core&period=30&status=open", lambda line: (line[1], line[5]) == ("core", "open")),
    ],
)
def test_a_filter_in_the_address_restricts_every_number(office: Office, query: str, kept: Any) -> None:
    lines = [line for line in SAID if kept(line)]
    assert _table(_get(office, f"/console?{query}")) == _expected(office.crm.firm, lines)


def test_a_customer_who_said_it_twice_weighs_once(office: Office) -> None:
    before = _table(_get(office, "/console"))["Guitar or bass"]
    with office.crm.store.read() as tx:
        report = tx.needs.board(BoardFilter())
    again = next(row for row in report.rows if row.category == "guitar" and row.tier == "core")
    a_need(office.crm, "guitar", "and strings for it", customer_id=again.customer_id)
    after = _table(_get(office, "/console"))["Guitar or bass"]
    assert int(after[5]) == int(before[5]) + 1
    assert after[6:] == before[6:]


def test_the_order_follows_the_weight(office: Office) -> None:
    def order(by: str) -> list[str]:
        return list(_table(_get(office, f"/console?by={by}")))

    def heaviest(at: int) -> str:
        sums: Counter[str] = Counter()
        for line in SAID:
            sums[line[0]] += (line[2], line[3])[at] if line[1] else 0
        return title_of(office.crm.firm, sums.most_common(1)[0][0])

    assert order("number")[0] == "Turntable"
    assert order("worth")[0] == heaviest(0)
    assert order("growth")[0] == heaviest(1)


def test_each_number_leads_to_exactly_its_words(office: Office) -> None:
    html = _get(office, "/console?period=30")
    links = re.findall(r'<td class="number"><a href="([^"]+)"[^>]*>(\d+)</a>', html)
    assert len(links) > 15
    browser = office.browser_of("Mara")
    for link, number in links:
        page = browser.get(link.replace("&amp;", "&")).text
        assert page.count("<blockquote>") == int(number), link


def test_the_chart_has_the_same_links_and_nothing_that_the_policy_forbids(office: Office) -> None:
    html = _get(office, "/console")
    chart = html[html.index("<figure") : html.index("</figure>")]
    cells = {(line[0], line[1] or "unknown") for line in SAID}
    links = set(re.findall(r'<a href="([^"]+)"', chart))
    assert len(links) == len(cells)
    assert all(link.startswith("/console/verbatims?") for link in links)
    for forbidden in ("style=", "<style", "<script", "<image", "https://vega"):
        assert forbidden not in chart


def test_no_page_and_no_export_names_a_customer_or_how_to_reach_him(office: Office) -> None:
    a_need(office.crm, "guitar", "I am Ruth Okafor, card 4111 1111 1111 1111, see AB-20418", status="open")
    browser = office.browser_of("Mara")
    for path in ("/console", "/console/verbatims", "/console/needs.csv"):
        text = browser.get(path).text
        for personal in ("0142", "ruth@", "Fiddler", "4111", "AB-20418", "cus_", "cnv_"):
            assert personal not in text, f"{personal} in {path}"


@pytest.mark.parametrize(
    ("said", "names", "shown"),
    [
        ("I'm ruth, a drum kit please", ["Ruth Okafor"], "I'm [name], a drum kit please"),
        ("my name is Jonas Weber", [], "my name is [name]"),
        ("call 01 555 0142 after six", [], "call [number] after six"),
        ("IE29 AIBK 9311 5212 3456 78 is mine", [], "[account] is mine"),
        ("a 4x12 cabinet, 1959, under 1500 euros", ["Al Green"], "a 4x12 cabinet, 1959, under 1500 euros"),
        ("Rega Planar 3 or Technics SL-1200", [], "Rega Planar 3 or Technics [order]"),
    ],
)
def test_words_are_shown_without_what_points_at_a_person(said: str, names: list[str], shown: str) -> None:
    assert mask_personal(said, names) == shown


def test_the_export_has_every_need_as_of_when_and_what_its_columns_mean(office: Office) -> None:
    lines = list(csv.reader(io.StringIO(_get(office, "/console/needs.csv?tier=MVC"))))
    assert lines[0][0].startswith("# Alder & Bell: needs as of 2026-03-11T10:00Z")
    assert lines[1][0] == "# Filters: tier=MVC"
    columns = lines[3]
    assert all(f"{column} = " in lines[2][0] for column in columns)
    expected = sorted((line[0], line[5]) for line in SAID if line[1] == "MVC")
    assert sorted((row[0], row[1]) for row in lines[4:]) == expected


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_the_export_never_holds_a_formula(office: Office, formula: str) -> None:
    a_need(office.crm, "guitar", formula + " guitar")
    rows = list(csv.reader(io.StringIO(_get(office, "/console/needs.csv?category=guitar"))))
    assert f"'{formula} guitar" in [row[-1] for row in rows]


def test_markup_in_the_words_stays_words(office: Office) -> None:
    a_need(office.crm, "guitar", "<script>alert(1)</script> guitar")
    for path in ("/console", "/console/verbatims"):
        assert "<script>alert" not in _get(office, path)


def test_an_empty_board_explains_itself(empty_office: Office) -> None:
    assert "No customer has stated a need yet" in _get(empty_office, "/console")
    assert "No customer has stated a need yet" in _get(empty_office, "/console/verbatims")
    a_market(empty_office)
    assert "No need matches these filters" in _get(empty_office, "/console?text=zither")


def test_a_filter_that_does_not_exist_is_refused(office: Office) -> None:
    assert office.browser_of("Mara").get("/console?tier=VIP").status_code == 422


def test_the_operator_sees_the_counters(office: Office) -> None:
    olu = office.browser_of("Olu")
    text = olu.get("/operator").text
    assert "Lost messages" in text
    assert "Conversations by owner" in text
    no_worker, one_worker = '<div class="bad"><dt>Workers</dt><dd>0</dd>', "<div><dt>Workers</dt><dd>1</dd>"
    assert no_worker in text
    beat(office.crm, Process("prc_a", "web", "place", 7, 1, "worker"))
    assert one_worker in olu.get("/operator").text
