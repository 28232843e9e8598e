"""A program that no platform of the format runs: the head of one for RISC-V."""

from __future__ import annotations

FOREIGN = bytes.fromhex("7f454c460201010000000000000000000200f300010000000000000000000000") + bytes(
    96
)
