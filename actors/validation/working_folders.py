"""Working folders below app-data that nobody is known to make before a service runs there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from bundlevisor.actors.process.binary import missing_folder
from bundlevisor.actors.validation.inspection import Subject
from bundlevisor.manifest.format.findings import Finding, Findings
from bundlevisor.manifest.format.paths import PathRefused, within
from bundlevisor.manifest.plan.launch import working_folder
from bundlevisor.manifest.plan.template import Unresolved


def unmade(subjects: Sequence[Subject]) -> Findings:
    """Warn of them; no error, for a service that has to be ready before may make one."""
    made = [folder for subject in subjects for folder in _data_folders(subject)]
    return Findings(warnings=tuple(_lacking(subjects, made)))


def _data_folders(subject: Subject) -> Iterator[str]:
    for folder in subject.spec.service.data_dirs:
        with suppress(PathRefused, Unresolved):  # said where they stand
            yield subject.spec.data_folder(folder)


def _lacking(subjects: Sequence[Subject], made: Sequence[str]) -> Iterator[Finding]:
    for subject in subjects:
        spec = subject.spec
        if spec.page or spec.binary is None:
            continue
        with suppress(PathRefused, Unresolved):  # said where they stand
            folder = working_folder(spec.binary, spec.scope(subject.inputs))
            ours = folder == spec.site.app_data or not spec.site.is_data(folder)
            if ours or any(within(one, folder) for one in made):
                continue
            if lack := missing_folder(folder, spec.binary.cwd, is_data=True):
                path = subject.binary_path.removesuffix("path") + "cwd"
                yield subject.finding("working_folder_missing", path, lack)
