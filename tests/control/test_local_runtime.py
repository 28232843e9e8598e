"""What the API's facade asks of the runtime that it is in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NoReturn

from bundlevisor.control.run.local_runtime import LocalRuntime


def test_who_asks_for_the_end_is_told_without_what_the_end_does_not_need() -> None:
    """Once all is ready the installed files may be gone, by which facts are made."""
    told: list[tuple[Any, ...]] = []

    def gone() -> NoReturn:
        raise ModuleNotFoundError

    given: dict[str, Any] = dict.fromkeys(LocalRuntime.__struct_fields__)
    context = SimpleNamespace(
        emit=lambda *what, **details: told.append((*what, details["request"]))
    )
    runtime = LocalRuntime(**given | {"port": 1, "make_facts": gone, "context": context})
    runtime.tell_asked("POST /shutdown", "curl", 2)
    assert told == [("api_request", None, "POST /shutdown")]
