"""What a customer is worth: pure statistics over order histories, a library in its own right.

    >>> from crmcore.value import BGNBD, PurchaseSummary
    >>> ana_and_ben = PurchaseSummary.of(frequency=[2, 0], recency=[213, 0], T=[272, 100])
    >>> shop = BGNBD.of(r=0.2426, alpha=30.895, a=0.7929, b=2.4259)  # or BGNBD().fit(summary)
    >>> shop.expected_purchases(ana_and_ben, horizon=365).round(2).tolist()
    [1.56, 0.51]

Every model is fitted by ``Model().fit(data)`` and then has ``params_``, ``standard_errors_``,
``log_likelihood_`` and ``diagnostics_``. Units are days and the firm's currency, unless the data are in
others. Mathematical symbols live only in this package; every module says which symbol is which business word.
"""

from crmcore.value.bgnbd import BGNBD
from crmcore.value.contracts import ContractSummary
from crmcore.value.estimator import Estimator, InvalidParameters, NotFitted
from crmcore.value.fitting import Diagnostic
from crmcore.value.gamma_gamma import GammaGamma
from crmcore.value.mbgnbd import MBGNBD
from crmcore.value.pareto_nbd import ParetoNBD
from crmcore.value.plain_retention import PlainRetention
from crmcore.value.purchase_model import Forecast, PurchaseModel
from crmcore.value.sbg import ShiftedBetaGeometric
from crmcore.value.summary import InvalidHistory, PurchaseSummary, summarise

__all__ = [
    "BGNBD",
    "MBGNBD",
    "ContractSummary",
    "Diagnostic",
    "Estimator",
    "Forecast",
    "GammaGamma",
    "InvalidHistory",
    "InvalidParameters",
    "NotFitted",
    "ParetoNBD",
    "PlainRetention",
    "PurchaseModel",
    "PurchaseSummary",
    "ShiftedBetaGeometric",
    "summarise",
]
