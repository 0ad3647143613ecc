"""Coded checks: what is wrong with a study, or with a document's numbers, found by the same rules."""

from pokeopt.report.checks.base import Check
from pokeopt.report.checks.evidence import Evidence
from pokeopt.report.checks.run import check_evidence, rules, run_checks

__all__ = ["Check", "Evidence", "check_evidence", "rules", "run_checks"]
