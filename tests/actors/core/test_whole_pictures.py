"""What the supervisor sees ahead and looks up, to the last field."""

from __future__ import annotations

import msgspec
import pytest

from bundlevisor.actors.bundle_state import BundleState
from bundlevisor.actors.collaborators import NoSecrets, Plan
from bundlevisor.actors.core import commanded, dependencies, desired, foreseen
from bundlevisor.actors.core.desired import Desired
from bundlevisor.actors.core.messages import StopService
from bundlevisor.actors.core.report import AfterStop, Doing, Report, Stage, StopCause
from bundlevisor.actors.ports_in_force import PortsInForce
from bundlevisor.manifest.format.secret import Secret, SecretTarget
from bundlevisor.manifest.plan.graph import Graph
from tests.actors.core.scheduled import Users
from tests.actors.core.trees import tree
from tests.manifests import needing

BEFORE = Report(
    id="db",
    stage=Stage.READY,
    incarnation=3,
    stop_cause=StopCause.UNHEALTHY,
    doing=Doing(text="loading"),
    begun_at=1.0,
    ready_at=2.0,
)


def test_who_is_told_to_stop_is_seen_stopping() -> None:
    told = StopService(AfterStop.WAIT, "restarting")
    assert foreseen.obeyed(told, BEFORE) == msgspec.structs.replace(
        BEFORE,
        stage=Stage.STOPPING,
        then=AfterStop.WAIT,
        stop_cause=StopCause.ORDERED,
        message="restarting",
        ready_at=None,
    )


def test_who_is_told_to_start_is_seen_starting() -> None:
    assert foreseen.starting(BEFORE, 5.0) == msgspec.structs.replace(
        BEFORE,
        stage=Stage.STARTING,
        incarnation=4,
        message="starting",
        doing=Doing(),
        begun_at=5.0,
    )


@pytest.mark.parametrize("resetting", [False, True])
def test_a_renewal_resets_where_it_says_so(resetting: bool) -> None:
    change = commanded.renew(tree(db="failed"), ["db"], "new", resetting=resetting)
    wish = Desired(after=0, reason="new", resetting=True) if resetting else None
    assert change == commanded.Change({"db": wish})
    assert commanded.renew(tree(db="failed"), ["db"], "new").desired == {"db": None}


def test_a_renewal_keeps_a_stop_a_stop_and_what_was_reset_reset() -> None:
    before = {
        "db": desired.stopped("by command"),
        "api": Desired(after=0, reason="started", resetting=True),
    }
    given = tree(desired=before, db="ready", api="ready", web="ready")
    assert commanded.renew(given, ["db", "api", "web"], "new").desired == {
        "db": before["db"],
        "api": Desired(after=0, reason="new", resetting=True),
        "web": Desired(after=0, reason="new"),
    }


def test_the_users_of_a_secret_are_named_in_stop_order() -> None:
    bundle = needing(db="", api="db", web="api")
    for service in (bundle.services[0], bundle.services[2]):
        service.secrets.append("key")
    target = SecretTarget(type="env", name="KEY")
    bundle.secrets.append(Secret(id="key", class_="user_prompt", target=target))
    assert dependencies.users_of(bundle, Graph.of(bundle), {"key"}) == ["web", "db"]


@pytest.mark.parametrize("stage", list(Stage))
def test_all_is_down_when_nothing_has_a_process_or_will_have_one(stage: Stage) -> None:
    bundle = needing(a="", b="")
    plan = Plan(bundle, Graph.of(bundle), {})
    ports = PortsInForce(plan, Users({}), lambda *_, **__: None)
    state = BundleState(plan, ["a", "b"], NoSecrets(), ports)
    assert state.all_down
    state.see(Report(id="b", stage=stage))
    state.see(Report(id="b", stage=stage, message="the same again"))
    assert state.all_down is not (stage in (Stage.STARTING, Stage.READY, Stage.STOPPING))
    state.see(Report(id="b", stage=Stage.WAITING))
    assert state.all_down
