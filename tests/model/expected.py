"""What the rules say of a bundle that is let come to rest after each step."""

from __future__ import annotations

from tests.model import rules


class Expected:
    """The states of its services; every one is ready before the first step."""

    def __init__(
        self, needs: rules.Needs, policies: dict[str, rules.Policy], group: rules.Group
    ) -> None:
        self.needs = needs
        self.bundle = rules.Bundle(needs)
        self.restarts = {id_: rules.Restarts(policy) for id_, policy in policies.items()}
        self.group = group
        self.states = dict.fromkeys(needs, "ready")

    def step(self, what: str, id_: str, now: float = 0.0) -> None:
        """Do one step at ``now`` seconds, and let all that waits start if it may."""
        if what in ("stop", "start", "restart"):
            self.bundle.command(what, id_)
            self._commanded(what, id_)
        elif self.states[id_] == "ready":
            self._ends(id_, now, clean=what == "exit 0")
        for other in self.needs:  # dependencies come first
            if self.states[other] == "waiting" and self._may_start(other):
                self.states[other] = "ready"

    def _commanded(self, what: str, id_: str) -> None:
        if what == "stop":
            self.states[id_] = "stopped"
            for other, state in self.states.items():
                if id_ in rules.all_needs(self.needs, other) and state == "ready":
                    self.states[other] = "waiting"
            return
        if what == "restart" and self.states[id_] == "ready":
            self._begin_anew(id_)
        for other in (id_, *rules.all_needs(self.needs, id_)):
            if self.states[other] in rules.AT_REST:
                self.states[other] = "waiting"
                self.restarts[other].reset_failures()

    def _ends(self, id_: str, now: float, *, clean: bool) -> None:
        follows = self.restarts[id_].after(now, 0.0, clean=clean)
        if isinstance(follows, str):
            self.states[id_] = follows
            return
        if self._group(id_) and not self.group.allows(now):
            self.states[id_] = "failed"
        else:
            self._begin_anew(id_)

    def _begin_anew(self, id_: str) -> None:
        for other in (*self._group(id_), id_):
            self.states[other] = "waiting"

    def _group(self, id_: str) -> set[str]:
        live = [other for other, state in self.states.items() if state == "ready"]
        return self.group.others(self.needs, id_, live)

    def _may_start(self, id_: str) -> bool:
        return all(self.states[other] == "ready" for other in self.needs[id_])
