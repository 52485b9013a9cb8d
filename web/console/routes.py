"""The console's pages: the board of needs, the verbatims behind a number, the export, the operator's page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from crmcore.console import NeedsReport
from crmcore.usecases.console import needs_report, state_of_needs
from crmcore.usecases.conversations import counters
from web.console.filters import PERIODS, STATUSES, TIER_NAMES, TIERS, WEIGHTS, Filters, filters
from web.console.view import LATEST, charts_of, csv_of, evidence_of, rows_of, title_of, whole
from web.live import Live
from web.staff.pages import page
from web.staff.session import Staff, crm_of, require, session_from

router = APIRouter(include_in_schema=False, prefix="/console", dependencies=[Depends(require("marketer"))])
operator = APIRouter(include_in_schema=False, prefix="/operator", dependencies=[Depends(require("operator"))])

Chosen = Annotated[Filters, Depends(filters)]
SHOWN = 200  # Verbatims on one page.
EXPORTED = 100_000
CALM_SECONDS = 1.0


@router.get("")
async def show_board(request: Request, session: Staff, chosen: Chosen) -> Response:
    firm = crm_of(request).firm
    report = await _report(request, chosen, LATEST)
    rows = rows_of(report, firm, chosen)
    charts = await asyncio.to_thread(charts_of, report, firm, chosen, rows) if rows else None
    return page(
        request,
        "console.html",
        session,
        rows=rows,
        charts=charts,
        report=report,
        latest=evidence_of(report.board.rows[:LATEST], firm),
        worth=whole(report.clv_minor, firm),
        growth=whole(report.potential_minor, firm),
        **_choices(request, chosen),
    )


@router.get("/verbatims")
async def show_verbatims(request: Request, session: Staff, chosen: Chosen) -> Response:
    report = await _report(request, chosen, SHOWN)
    shown = evidence_of(report.board.rows[:SHOWN], crm_of(request).firm)
    return page(
        request,
        "verbatims.html",
        session,
        evidence=shown,
        report=report,
        **_choices(request, chosen),
    )


@router.get("/needs.csv")
async def export(request: Request, chosen: Chosen) -> Response:
    crm = crm_of(request)
    report = await _report(request, chosen, EXPORTED)
    now = crm.clock()
    return Response(
        csv_of(report, crm.firm, chosen, now),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="needs-{now:%Y-%m-%d}.csv"'},
    )


@router.get("/stream")
async def stream(request: Request) -> StreamingResponse:
    return StreamingResponse(_events(request), media_type="text/event-stream")


@operator.get("")
async def show_health(request: Request, session: Staff) -> Response:
    found = await asyncio.to_thread(counters, crm_of(request))
    return page(request, "operator.html", session, counters=found, now=crm_of(request).clock())


async def _events(request: Request) -> AsyncIterator[str]:
    """Event ``state`` at first and whenever a need was added or changed.

    The page knows the state that it shows, and asks for itself again when they differ.
    """
    live: Live = request.app.state.live
    known = ""
    async for _look in live.watch(None):
        if await session_from(request, active=False) is None:
            yield "event: ended\ndata: {}\n\n"
            return
        state = await asyncio.to_thread(state_of_needs, crm_of(request))
        yield f"event: state\ndata: {json.dumps(state)}\n\n" if state != known else ":ping\n\n"
        known = state
        await asyncio.sleep(CALM_SECONDS)


async def _report(request: Request, chosen: Filters, per_cell: int) -> NeedsReport:
    crm = crm_of(request)
    return await asyncio.to_thread(needs_report, crm, chosen.board(crm.clock(), per_cell))


def _choices(request: Request, chosen: Filters) -> dict[str, Any]:
    crm = crm_of(request)
    return {
        "chosen": chosen,
        "now": crm.clock().astimezone(crm.firm.zone),
        "categories": {category.id: title_of(crm.firm, category.id) for category in crm.firm.needs},
        "tiers": {tier: TIER_NAMES[tier] for tier in TIERS},
        "statuses": STATUSES,
        "periods": PERIODS,
        "weights": WEIGHTS,
    }
