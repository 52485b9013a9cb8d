"""What is wrong with an installation and how to mend it: one small function a check, over observed facts."""

from crmcore.doctor.checks import CHECKS, Check, examine
from crmcore.doctor.facts import DatabaseFacts, Facts
from crmcore.doctor.findings import Finding, Verdict

__all__ = ["CHECKS", "Check", "DatabaseFacts", "Facts", "Finding", "Verdict", "examine"]
