"""BG/NBD: how often a customer buys, and whether he is still active.

Fader, Hardie & Lee (2005), "Counting Your Customers the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24(2), 275-284. A customer can leave after every repeat purchase.
"""

from __future__ import annotations

from crmcore.value.beta_geometric import BetaGeometric


class BGNBD(BetaGeometric):
    """One-time buyers have ``p_alive`` exactly 1: the model lets customers leave only after a repeat
    purchase, so do not rank newcomers by it."""

    NAME = "bg-nbd"
    VERSION = 2
    CHANCES_BEFORE = 0
