"""What the seed of a run decides: clocks, faults, names, webhooks, and whether it plays two organizations."""

from __future__ import annotations

from random import Random
from typing import Final

from sandbox.swoogo.server import SandboxSwoogo
from sandbox.swoogo.switches import Switches
from tests.chaos.deliveries import Deliveries
from tests.chaos.effects import Effects
from tests.chaos.log import Log
from tests.chaos.machine import seconds
from tests.chaos.names import Forms, lossy, storing
from tests.chaos.replica import Surroundings, settings_of
from tests.chaos.second import chance_of
from tests.chaos.valkey import Server
from tests.chaos.verdict import Verdict

_JUMPS: Final = 1 / 3
_HOOKS: Final = 1 / 2
_ARCHIVED: Final = 1 / 4


class Drawn:
    """The surroundings of a run, before anything happens.

    Attributes:
        jump: by how much the Redis server's clock is set, s; `jump_at`: when, s.
        forms: how names are written; None: plainly.
        quiet, undecided: codes of issues that such names may raise, and of those that leave a decision to a person.
        creates: whether it is about creates without an answer.
        orgs_chance: what draws two organizations; None where there is one.
        fields: whether custom fields are mapped.
    """

    def __init__(self, seed: int, redis_url: str, who: str, verdict: Verdict) -> None:
        self.who = who
        self.verdict = verdict
        # What happens and what breaks are drawn apart, so that the peer meets the same history and the same faults.
        self.chance = Random(f"history {seed}")
        self.effects = Effects(Random(f"faults {seed}"))
        self.effects.told = verdict.story
        self.server = Server(redis_url, self.effects)
        limit = self.chance.choice((60, 90, 200, 2000))
        window = 60.0 if limit < 200 else 150.0
        # In a third the clock of the Redis server is set once, by up to an hour back or forth.
        jumps = Random(f"jumps {seed}")
        self.jump = jumps.choice((-3600.0, -600.0, -30.0, 30.0, 600.0, 3600.0)) if jumps.random() < _JUMPS else 0.0
        self.jump_at = jumps.uniform(1.0, 900.0)
        # Half of the runs have webhooks; then Swoogo's clock and ours differ by as much as the latter is set.
        hooks = abs(self.jump) + 5.0 if who == "service" and Random(f"webhooks {seed}").random() < _HOOKS else None
        # In a quarter an event is archived as soon as nothing of it waits.
        archived = who == "service" and Random(f"archive {seed}").random() < _ARCHIVED
        self.keys, self.settings = settings_of(redis_url, limit, window, hooks, archived=archived)
        self.deliveries = Deliveries(seed, self.settings, self.effects)
        # Half of the runs write names in every form, to a Swoogo that stores text as it pleases; the peer is spared.
        forms = Random(f"forms {seed}")
        odd = who == "service" and forms.random() < 0.5
        switches = storing(forms) if odd else Switches()
        # Two events of an account know nothing of each other's tiers: one stored under another name is added twice.
        self.forms = Forms(seed, tiers=not lossy(switches) or chance_of(seed) is None) if odd else None
        # What people are told of such names; who cannot be told apart is for a person to decide (G2).
        self.quiet = ("name_shortened", "field_not_applied") if odd else ()
        self.undecided = ("ambiguous_match",) if lossy(switches) else ()
        if odd:
            self.verdict.story.append(f"    0.000 {switches}")
        self.sandbox = SandboxSwoogo(
            limit=limit, window=window, clock=seconds, switches=switches, deliver=self.deliveries
        )
        self.log = Log(self.effects)
        # A quarter of the runs is about creates without an answer, and clocks that are wrong by ten minutes.
        clocks = Random(f"clocks {seed}")
        self.creates = clocks.random() < 0.25
        off = (-600.0, 600.0) if self.creates else (-600.0, 0.0, 600.0)
        self.around = Surroundings(
            self.effects,
            self.server,
            self.sandbox,
            self.log,
            self.settings,
            lambda: clocks.choice(off) * (1.0 if self.creates else clocks.random()),
        )
        # A third plays two organizations with an event each; the peer knows of one.
        self.orgs_chance = chance_of(seed) if who == "service" else None
        # Half of the other runs, a third of all, map custom fields.
        self.fields = who == "service" and not odd and self.orgs_chance is None

    def rewind(self) -> None:
        """Every group reads every topic again from its start."""
        for group in self.log.groups.values():
            group.rewind()
