"""Scoring the firm: every customer valued, and all values published together.

The books are read in one transaction, snapshots are written part by part in others, and the last one
publishes them, so that no customer's message waits for a fit and no kill loses what was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from crmcore.crm import Crm
from crmcore.firm import Firm
from crmcore.ids import new_id
from crmcore.money import exponent, from_minor
from crmcore.store.engines.any import EngineName, open_engine
from crmcore.tiers import Borders, Tier, TierPolicy, read_borders, store_borders
from crmcore.usecases.events import tell_of_tiers
from crmcore.usecases.observation import DayBeforeAllOrders, last_observed_day
from crmcore.usecases.value_chunks import KEPT, valued_rows
from crmcore.usecases.value_log import lay_log, scored_table
from crmcore.usecases.value_records import record_values
from crmcore.usecases.value_refresh import value_again
from crmcore.usecases.value_rules import Rules
from crmcore.value.benchmarks import Benchmarks
from crmcore.value.engine import MODEL_VERSION, FirmFit
from crmcore.value.fitting import Diagnostic
from crmcore.value.model import ValueModel, ValueTerms
from crmcore.value.relational.batch import FirmBatch, ValuedBatch
from crmcore.value.relational.ranks import MinorBorders
from crmcore.value.snapshots import ValueRun

Progress = Callable[[int, int], None]

PART = 20_000  # Customers whose snapshots are written in one transaction.


@dataclass(frozen=True)
class ScoreReport:
    """What a scoring did. Without ``run.published`` the earlier values stay; ``diagnostics`` say why.

    ``until_today`` of the ``customers`` were known until a later day than ``run.observed_until``, or
    refreshed while this worked; they are valued until today.
    """

    run: ValueRun
    customers: int
    tiers: Mapping[Tier, int]
    total_value: Decimal | None
    diagnostics: tuple[Diagnostic, ...]
    until_today: int = 0


def score(
    crm: Crm,
    as_of: date | None = None,
    engine: EngineName | None = None,
    progress: Progress = lambda done, of: None,
) -> ScoreReport:
    """Value every customer who has bought until the end of ``as_of`` (the last whole day, unless given).

    engine : where it is computed; DuckDB in this process unless given. Snapshots are written part by part,
    and nobody sees them before all are there. A scoring that was ended goes on: the next one of the same day,
    with the same terms, writes what is missing by the parameters of the first. progress : is told how many
    customers are written, and of how many.

    Who was refreshed while this worked, or with rows of a later day, is valued by the new run until today
    instead, so that no order that counted before is forgotten. Raises ``EngineUnavailable``, and
    ``DayBeforeAllOrders`` where nobody had bought until the end of ``as_of``; nothing is stored then.
    """
    now = crm.clock()
    firm = crm.firm
    observed_until = last_observed_day(firm, now, as_of)
    terms = ValueTerms(firm.value.margin, firm.value.discount_rate, firm.value.horizon_days)
    policy = TierPolicy(firm.tiers.mvc_share, firm.tiers.mgc_share, firm.tiers.bz_probability)
    with open_engine(crm.store, engine or "duckdb") as opened:
        with crm.store.read() as tx:
            begun = tx.scorings.unfinished_run()
            log, calendar = lay_log(tx, opened, firm, observed_until)
            batch = FirmBatch.of(opened, log, calendar, 10.0 ** exponent(firm.currency))
            if as_of is not None and not len(batch):
                raise DayBeforeAllOrders(
                    f"nobody had ordered until {as_of}; choose a day of the orders or later"
                )
            scored = None if begun is None else scored_table(tx, begun.run_id)
        if begun is not None and _goes_on(begun, observed_until, terms, policy, firm):
            run = begun
            valued: ValuedBatch | None = _value(batch, ValueModel.from_parameters(begun.parameters), scored)
        else:
            run, valued = _begin(crm, batch, terms, policy, observed_until, now)
        if valued is None:
            diagnostics = tuple(Diagnostic(**d) for d in run.diagnostics)
            return ScoreReport(run, len(batch), {}, None, diagnostics)
        _write_snapshots(crm, run, valued, len(batch), progress)
    return _publish(crm, run, max(now, run.scored_at))


def _goes_on(
    begun: ValueRun, observed_until: date, terms: ValueTerms, policy: TierPolicy, firm: Firm
) -> bool:
    """Whether a scoring of now would be the one that was ended."""
    return (begun.model_version, begun.observed_until, begun.currency) == (
        MODEL_VERSION,
        observed_until,
        firm.currency,
    ) and (begun.parameters["terms"], begun.parameters["policy"]) == (asdict(terms), asdict(policy))


def _begin(
    crm: Crm, batch: FirmBatch, terms: ValueTerms, policy: TierPolicy, observed_until: date, now: datetime
) -> tuple[ValueRun, ValuedBatch | None]:
    """Fit, value, find where the whole firm stands, and put the run on record; None: it may not publish."""
    purchases = batch.purchases() if len(batch) else None
    fit = batch.fit(terms, purchases)
    with crm.store.read() as tx:
        newest = tx.value.newest_run()
    # The newest run is in force, so a clock that stands still or was set back must not make this one older.
    at = now if newest is None else max(now, newest.scored_at + timedelta(microseconds=1))
    run = ValueRun(
        run_id=new_id("run"),
        model_version=MODEL_VERSION,
        observed_until=observed_until,
        scored_at=at,
        horizon_days=crm.firm.value.horizon_days,
        currency=crm.firm.currency,
        parameters=_fitted(fit),
        diagnostics=tuple(dict(vars(d)) for d in fit.diagnostics),
        published=False,
        finished=fit.model is None,
    )
    valued = None
    if fit.model is not None:
        valued = batch.value(fit.model, purchases, KEPT)
        benchmarks, borders = valued.benchmarks_and_borders(policy)
        in_currency = borders.in_currency(crm.firm.currency)
        run = replace(run, parameters=_parameters(fit.model, benchmarks, policy, in_currency))
    with crm.store.write() as tx:
        tx.scorings.discard_unfinished()
        tx.value.add_run(run)
    return run, valued


def _value(batch: FirmBatch, model: ValueModel, scored: pa.Table | None) -> ValuedBatch:
    """The customers who are missing, by the parameters of the run."""
    return batch.value(model, None if model.forecaster is None else batch.purchases(), KEPT, scored)


def _write_snapshots(
    crm: Crm, run: ValueRun, valued: ValuedBatch, everybody: int, progress: Progress
) -> None:
    """Part by part, each in a transaction of its own."""
    policy = TierPolicy(**run.parameters["policy"])
    borders = read_borders(run.parameters["borders"])
    benchmarks = Benchmarks.from_json(run.parameters["benchmarks"])
    rows = valued.ranked(benchmarks, MinorBorders.of(borders, run.currency), policy)
    done = everybody - len(valued)
    progress(done, everybody)
    for part in valued.engine.stream(rows, PART):
        found = valued_rows(part, run, run.observed_until, borders, policy)
        with crm.store.write() as tx:
            if not tx.scorings.hold(run.run_id):
                return  # Somebody else has finished it.
            ids = found.summary.customer_id
            wanted = tx.scorings.still_there(ids) - tx.scorings.scored_of(run.run_id, ids)
            wanted -= tx.scorings.newer_of(run, ids)  # They are valued at the end, until today.
            record_values(tx, found, tx.value.standing(ids), dict.fromkeys(wanted, 0), run.scored_at)
        done += len(part)
        progress(done, everybody)


def _publish(crm: Crm, run: ValueRun, now: datetime) -> ScoreReport:
    """In one transaction: from here on everybody sees the new values."""
    refreshed = 0
    with crm.store.write() as tx:
        tx.value.lock_all()
        if tx.scorings.hold(run.run_id):
            late = tx.scorings.refreshed_since(run)
            before, after = tx.scorings.tier_changes(run.run_id)
            is_first = tx.value.run_in_force() is None
            standing, rows = tx.value.standing(late), tx.value.rows(late)
            tx.value.publish(run.run_id)
            refreshed = len(value_again(tx, crm.firm, Rules.of(run), late, standing, rows, now))
            if not is_first:  # The first scoring of all gives everybody a tier, which changes nobody's.
                for customer_id in late:
                    after.pop(customer_id, None)
                tell_of_tiers(tx, before, after, now)
        in_force = tx.value.run_in_force()  # This one, unless somebody else began anew meanwhile.
        totals = tx.value.totals()
    return ScoreReport(
        in_force or run,
        sum(customers for customers, _, _ in totals.values()),
        {tier: customers for tier, (customers, _, _) in totals.items()},
        from_minor(sum(clv for _, clv, _ in totals.values()), run.currency),
        tuple(Diagnostic(**d) for d in run.diagnostics),
        refreshed,
    )


def _parameters(
    model: ValueModel, benchmarks: Benchmarks, policy: TierPolicy, borders: Borders
) -> dict[str, Any]:
    """All that values one more customer just as this run did."""
    return {
        **model.to_parameters(),
        "benchmarks": benchmarks.to_json(),
        "policy": dict(vars(policy)),
        "borders": store_borders(borders),
    }


def _fitted(fit: FirmFit) -> dict[str, Any]:
    """What the fits found, with standard errors, log-likelihood and diagnostics, by model."""
    found = {}
    for name, model in (("purchases", fit.purchases), ("spend", fit.spend)):
        if model is not None:
            found[name] = json.loads(model.to_json())
    return found
