"""A kit for fault-injection suites: bundles, the installed runtime, faults, and two laws.

``Bundle`` makes a bundle, ``Runtime`` runs it with the command that is shipped, ``Service`` breaks
what runs, ``faults`` breaks what it stands on. No test framework is needed; for pytest there are
fixtures (:mod:`bundlevisor.pytest_plugin`). docs/testing.md has the recipes.
"""

from bundlevisor.testing import faults
from bundlevisor.testing.bundle import Bundle
from bundlevisor.testing.client import Answer
from bundlevisor.testing.deadline import NotWithin, wait_until
from bundlevisor.testing.runtime import Runtime
from bundlevisor.testing.service import Service

__all__ = ["Answer", "Bundle", "NotWithin", "Runtime", "Service", "faults", "wait_until"]
