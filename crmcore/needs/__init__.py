"""Needs: what customers say they want, read in their own words."""

from crmcore.needs.reading import read_need
from crmcore.needs.values import Budget, Need, ReadNeed, Timing, slots

__all__ = ["Budget", "Need", "ReadNeed", "Timing", "read_need", "slots"]
