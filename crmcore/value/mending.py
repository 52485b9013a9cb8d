"""What a firm can do about each thing that a fit could not find out."""

from __future__ import annotations

from collections.abc import Mapping

from crmcore.value.fitting import DiagnosticCode

BY_ANOTHER_VERSION = "An earlier version found this; score again to see whether it still holds."
WHAT_TO_DO: Mapping[DiagnosticCode, str] = {
    "differences_not_identified": (
        "Use sums and expectations, and read nothing into a single parameter. A longer log holds them better."
    ),
    "dropout_not_identified": (
        "Import a longer log, so that silence has time to show; customers of a contract belong to "
        "`rapport value fit --model sbg`."
    ),
    "extrapolates_beyond_twice_T": "Choose a shorter value.horizon_days in firm.yml, or import older orders.",
    "few_customers_carry_the_total": (
        "Give each of them a plan and an account manager, and judge the others by their median, not by their "
        "mean."
    ),
    "log_ends_early": (
        "Import the orders since then, or score as of the last day of the log (`rapport score --as-of DAY`)."
    ),
    "not_converged": "Look for odd rows in the import (`rapport doctor`), then score again.",
    "one_customer_carries_the_total": (
        "Check his orders for a mistake; keep him out of the import (`--exclude`) if he is another business. "
        "What remains without him says `rapport value simulate --customer CUSTOMER --leaves`."
    ),
    "same_rates_assumed": (
        "Nothing is wrong with the data; a longer log tells customers apart. Until then values are a first "
        "guess, and rank customers by their silence and their spend alone."
    ),
    "spend_depends_on_frequency": (
        "Compare groups of like frequency. A forecast with recalibration, and values that stand on it, take "
        "account of it; the closed form alone does not."
    ),
    "spend_mean_infinite": (
        "A few orders are enormous. Check them for mistakes, and keep bulk buyers out of the import "
        "(`--exclude`) if they are another business."
    ),
    "too_few_contracts": "Import more contracts, or wait until more came up for renewal.",
    "too_few_repeat_buyers": (
        "Import older orders too; if there are none, wait until more customers have bought again."
    ),
}
