"""MBG/NBD: as BG/NBD, but a customer can leave after his first purchase too.

Batislam, Denizel & Filiztekin (2007), "Empirical validation and comparison of models for customer base
analysis", International Journal of Research in Marketing 24(3), 201-209.
"""

from __future__ import annotations

from crmcore.value.beta_geometric import BetaGeometric


class MBGNBD(BetaGeometric):
    """One-time buyers fade like everybody else, which BG/NBD cannot say."""

    NAME = "mbg-nbd"
    VERSION = 1
    CHANCES_BEFORE = 1
