"""Any bundle, any commands, any faults, any order: the core does what the rules say.

hypothesis shrinks what fails and prints it as a test to paste. ``BUNDLEVISOR_MODEL_STEPS=5000000``
in the environment goes on for so many steps: a processor does some 1,500 a second.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, seed, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from bundlevisor.actors.core.messages import (
    CommandRestart,
    CommandStart,
    CommandStop,
    SecretsChanged,
    StopBundle,
)
from bundlevisor.actors.core.report import Stage
from bundlevisor.manifest.format.policy import RestartPolicy, Supervision
from bundlevisor.manifest.format.probe import Health
from bundlevisor.manifest.format.schema import Manifest, Service
from bundlevisor.manifest.format.secret import Secret, SecretTarget
from tests import manifests
from tests.model.held import FAULTS
from tests.model.rules import Policy
from tests.model.world import World

STEPS_OF_ONE, EXAMPLES = 40, 100
PARTS = -(-int(os.environ.get("BUNDLEVISOR_MODEL_STEPS") or 1) // (STEPS_OF_ONE * EXAMPLES))
"""Each a test of its own: hypothesis keeps what it has tried, a gigabyte for 250,000 steps."""
SHRINKING_S = 900
"""A part takes some seconds; what fails is made smaller for five minutes at most."""
COMMANDS = {"start": CommandStart, "stop": CommandStop, "restart": CommandRestart}
STRATEGIES = ("one_for_one", "rest_for_one", "one_for_all")
MOST = 12
WHO = st.integers(0, MOST - 1)

one_service = st.fixed_dictionaries(
    {
        "needs": st.lists(WHO, max_size=3),
        "policy": st.sampled_from(("on_failure", "always", "never")),
        "intensity": st.integers(0, 3),
        "period_s": st.sampled_from((1, 60)),
        "retries": st.integers(1, 3),
        "locked": st.booleans(),
        "lazy": st.booleans(),
    }
)


def manifest_of(services: list[dict[str, Any]], supervision: Supervision) -> Manifest:
    """Return a bundle; services depend on earlier ones only."""
    made = []
    for number, one in enumerate(services):
        needs = dict.fromkeys(f"s{other % number}" for other in one["needs"]) if number else {}
        made.append(
            Service(
                id=f"s{number}",
                dependencies=list(needs),
                health=Health(type="http", retries=one["retries"]),
                secrets=["key"] if one["locked"] else [],
                metadata={"run_mode": "on_demand"} if one["lazy"] else {},
                restart=RestartPolicy(
                    policy=one["policy"],
                    intensity=one["intensity"],
                    period_ms=one["period_s"] * 1000,
                ),
            )
        )
    return manifests.manifest_of(
        *made,
        supervision=supervision,
        secrets=[Secret(id="key", class_="user_prompt", target=SecretTarget(type="env", name="K"))],
    )


class Core(RuleBasedStateMachine):
    """The product's core, held to the rules at every step and whenever it is at rest."""

    world: World

    @initialize(
        services=st.lists(one_service, min_size=1, max_size=MOST),
        strategy=st.sampled_from(STRATEGIES),
        intensity=st.integers(0, 3),
        period_s=st.sampled_from((1, 60)),
    )
    def begin(
        self, services: list[dict[str, Any]], strategy: Any, intensity: int, period_s: int
    ) -> None:
        supervision = Supervision(strategy=strategy, intensity=intensity, period_ms=period_s * 1000)
        manifest = manifest_of(services, supervision)
        policies = {
            f"s{number}": Policy(one["policy"], one["intensity"], one["period_s"])
            for number, one in enumerate(services)
        }
        self.world = World(manifest, policies)

    def named(self, who: int) -> str:
        names = list(self.world.needs)
        return names[who % len(names)]

    @rule(choices=st.lists(st.integers(0, 50), min_size=1, max_size=12))
    def go_on(self, choices: list[int]) -> None:
        """Messages are heard, processes end, timers fire: in this order."""
        for choice in choices:
            if possible := self.world.steps():
                possible[choice % len(possible)]()

    @rule(choose=st.integers(0, 50))
    def come_to_rest(self, choose: int) -> None:
        assert self.world.run(lambda count: choose % count, 20_000) < 20_000, "it never rests"
        self.world.check_rest()

    @rule(action=st.sampled_from(sorted(COMMANDS)), who=WHO)
    def command(self, action: str, who: int) -> None:
        self.world.command(COMMANDS[action](self.named(who)))

    @rule(who=WHO, code=st.sampled_from((0, 1, -9)))
    def end(self, who: int, code: int) -> None:
        if actor := self.world.actor(self.named(who)):
            actor.end(code)

    @rule(who=WHO, answers=st.lists(st.booleans(), min_size=1, max_size=4))
    def probe(self, who: int, answers: list[bool]) -> None:
        if actor := self.world.actor(self.named(who)):
            for well in answers:
                actor.probe("" if well else "HTTP 500")

    @rule(who=WHO, fault=st.sampled_from(FAULTS))
    def spoil_next_run(self, who: int, fault: str) -> None:
        self.world.faults_of.setdefault(self.named(who), set()).add(fault)

    @rule(who=WHO)
    def break_actor(self, who: int) -> None:
        self.world.break_actor(self.named(who))

    @rule(seconds=st.sampled_from((0.5, 2.0, 100.0)))
    def let_time_pass(self, seconds: float) -> None:
        self.world.clock += seconds

    @rule()
    def give_the_secret(self) -> None:
        self.world.safe.values.add("key")
        self.world.command(SecretsChanged(frozenset({"key"})))

    @rule(certain=st.integers(0, 4))
    def stop_the_bundle(self, certain: int) -> None:
        if certain == 0:
            self.world.command(StopBundle("the end"))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.come_to_rest(0)


@pytest.mark.timeout(SHRINKING_S)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_core_does_what_the_rules_say(dice: random.Random, part: int) -> None:
    run_state_machine_as_test(
        seed(dice.getrandbits(64))(Core),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS_OF_ONE,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("lost", ["end", "restart"])
def test_what_is_lost_while_a_service_is_prepared_is_waited_for_again(
    strategy: str, lost: str
) -> None:
    plain = {"policy": "always", "intensity": 3, "period_s": 60, "retries": 1}
    plain |= {"locked": False, "lazy": False}
    state = Core()
    needing: tuple[list[int], ...] = ([], [0])
    state.begin([plain | {"needs": needs} for needs in needing], strategy, 3, 60)
    world = state.world
    while world.stage("s1") is not Stage.STARTING:
        world.steps()[0]()
    preparing = world.actors["s1"]
    if lost == "end":
        state.end(0, 1)
    else:
        state.command("restart", 0)
    while world._inbox or preparing.inbox:
        (world._hear if world._inbox else preparing._hear)()
    preparing.steps()[0]()
    assert not preparing.alive
    state.come_to_rest(0)
    assert preparing.alive


def test_a_service_is_given_up_when_its_port_is_taken_for_the_fourth_time() -> None:
    plain = {"needs": [], "policy": "always", "intensity": 3, "period_s": 1, "retries": 1}
    state = Core()
    state.begin([plain | {"locked": False, "lazy": False}], "one_for_one", 3, 1)
    state.come_to_rest(0)
    for _ in range(4):
        state.spoil_next_run(0, "portless")
        state.break_actor(0)
        state.come_to_rest(0)
    actor = state.world.actor("s0")
    assert actor
    assert actor.life.stage.value == "failed"
    state.command("restart", 0)
    state.come_to_rest(0)
    assert actor.life.stage.value == "ready"
