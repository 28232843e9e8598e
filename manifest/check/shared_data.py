"""Data folders that several services have, of which one is put back when an upgrade fails."""

from __future__ import annotations

from contextlib import suppress

from bundlevisor.manifest.check.view import Place, View
from bundlevisor.manifest.format.findings import Report
from bundlevisor.manifest.format.paths import PathRefused
from bundlevisor.manifest.format.suggest import quoted


def check(upgraded: list[Place], view: View, report: Report) -> None:
    """Warn where somebody else may write what is put back when one of these fails to upgrade.

    Who depends on it, at any depth, waits until it is ready, and its copy is of no use then.
    """
    from bundlevisor.manifest.format.reserved_paths import within
    from bundlevisor.manifest.plan.graph import edges, reachable, reverse

    backward = reverse(edges(view.manifest))
    of_all = [(place.id, folder) for place in view.places for _, folder in _folders(place, view)]
    for place in upgraded:
        waiting = {place.id, *reachable(place.id, backward)}
        others = [(id_, folder) for id_, folder in of_all if id_ not in waiting]
        for index, ours in _folders(place, view):
            with_it = dict.fromkeys(
                id_ for id_, theirs in others if within(theirs, ours) or within(ours, theirs)
            )
            if with_it:
                path = f"{place.path}.data_dirs[{index}]"
                sentence = (
                    f"service '{place.id}': the folder '{place.service.data_dirs[index]}' is also"
                    f" {quoted(with_it)}'s, and what is written there while an upgrade fails is"
                    " lost when it is put back; give each its own folder, or let who shares this"
                    f" one depend on '{place.id}'."
                )
                report.warning("data_folder_shared", path, sentence, place.id)


def _folders(place: Place, view: View) -> list[tuple[int, str]]:
    """Return the place of each data folder in the list and in app-data."""
    from bundlevisor.manifest.format.reserved_paths import folded, normal

    found = []
    for index, folder in enumerate(place.service.data_dirs):
        with suppress(PathRefused):  # that is said
            inside = normal(folder, template=True)
            found.append((index, inside if view.minds_case else folded(inside)))
    return found
