"""The platforms that a folder can be built for."""

from __future__ import annotations

from dataclasses import dataclass

GLIBC = "2.28"
"""The oldest GNU libc that the Linux folders run with: Debian 10, RHEL 8, Ubuntu 18.10."""
MACOS = "13.0"
"""The oldest macOS: google-re2's wheels need it, all the rest runs with 11."""


@dataclass(frozen=True)
class Target:
    """One platform, in the words of each tool that has to know it."""

    name: str
    system: str
    """As ``sys.platform`` says it."""
    machine: str
    zig: str
    """The compiler's name for programs of the target."""
    wheels: tuple[str, ...]
    """Wheel platform tags that run on it, best first."""
    note: str = ""
    """What has to be known of a folder for it."""

    @property
    def exe(self) -> str:
        """The ending of programs."""
        return ".exe" if self.system == "win32" else ""


def _linux(name: str, machine: str) -> Target:
    old = [f"manylinux_2_{minor}_{machine}" for minor in range(int(GLIBC[2:]), 4, -1)]
    wheels = (*old, f"manylinux2014_{machine}", f"manylinux2010_{machine}")
    return Target(name, "linux", machine, f"{machine}-linux-gnu.{GLIBC}", wheels)


def _darwin(name: str, machine: str, zig: str) -> Target:
    versions = [f"{major}_0" for major in range(int(MACOS.partition(".")[0]), 10, -1)]
    versions += [f"10_{minor}" for minor in range(15, 8, -1)]
    wheels = [f"macosx_{one}_{kind}" for one in versions for kind in (machine, "universal2")]
    note = "built and checked, never run: there was no macOS to run it on"
    return Target(name, "darwin", machine, f"{zig}-macos.{MACOS}", tuple(wheels), note)


TARGETS = {
    target.name: target
    for target in (
        _linux("linux-x64", "x86_64"),
        _linux("linux-arm64", "aarch64"),
        _darwin("darwin-x64", "x86_64", "x86_64"),
        _darwin("darwin-arm64", "arm64", "aarch64"),
        Target("win-x64", "win32", "x86_64", "x86_64-windows-gnu", ("win_amd64",)),
        Target(
            "win-arm64",
            "win32",
            "x86_64",
            "x86_64-windows-gnu",
            ("win_amd64",),
            "the folder for x64, which Windows 11 on ARM runs under its emulation",
        ),
    )
}
