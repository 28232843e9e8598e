"""Paths under app-data: none that a bundle names is one of the runtime or of somebody else."""

from __future__ import annotations

from bundlevisor.manifest.check.view import View
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.plan.claims import Conflict, claims_of, conflicts


def check(view: View, report: Report) -> None:
    """Report each path in whose place, above or below, somebody else needs something."""
    for conflict in conflicts(claims_of(view.manifest)):
        report_conflict(conflict, report, minds_case=view.minds_case)


def report_conflict(conflict: Conflict, report: Report, *, minds_case: bool) -> None:
    """Add what two claims in each other's way mean.

    Where the runtime or a user of it would lose something it is an error, also where two names
    differ only in case: the bundle is for other systems too. A log that shares its place only
    warns: lines are mixed, or not kept.
    """
    later, earlier = conflict.later, conflict.earlier
    prefix = f"service '{later.service}': " if later.service else ""
    sentence = f"{prefix}{_words(conflict)}; choose another name here."
    if later.ours or earlier.ours:
        report.error("path_taken", later.field, sentence, later.service)
    elif (
        later.secret  # secrets are the last to claim
        and later.used
        and earlier.used
        and (conflict.meets or not minds_case)
    ):
        report.error("path_shared", later.field, sentence)
    else:
        report.warning("path_shared", later.field, sentence, later.service)


def _words(conflict: Conflict) -> str:
    later, earlier = conflict.later, conflict.earlier
    same = later.path == earlier.path
    where = later.path if same else f"{later.path}, {earlier.path}"
    if later.field and later.owner == earlier.owner == "the runtime":
        how = "is the path of" if same else "is in the way of"
        return f"the path '{later.path}' {how} another file of the runtime ({where})"
    how = "has the same path as" if same else "lies in the way of"
    whose = "a file of the runtime" if earlier.ours else earlier.owner
    return f"{'what the runtime keeps' if later.ours else later.owner} {how} {whose} ({where})"
