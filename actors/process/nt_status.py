"""What the exit codes say by which Windows ends a program (NTSTATUS, ntstatus.h)."""

from __future__ import annotations

MEANINGS = {
    0xC0000005: "access violation",
    0xC0000017: "no memory left",
    0xC000001D: "illegal instruction",
    0xC000007B: "it or a DLL that it needs is damaged, or built for another processor",
    0xC0000094: "division by zero",
    0xC00000FD: "stack overflow",
    0xC0000135: "a DLL that it needs is not there",
    0xC0000138: "a DLL that it needs is another version",
    0xC0000139: "a DLL that it needs is another version",
    0xC000013A: "ended by Ctrl-C or CTRL_BREAK",
    0xC0000142: "a DLL that it needs could not be initialised",
    0xC0000374: "heap corruption",
    0xC0000409: "it aborted, or overran a buffer",
    0xE0434352: "exception of .NET",
    0xE06D7363: "exception of C++",
}
