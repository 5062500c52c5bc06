"""One seed, from the first record to the verdict."""

from __future__ import annotations

import asyncio
import functools
import random
import traceback
from collections import Counter
from random import Random
from typing import Any, Final

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.surveys.survey import Depth
from consumer.ports import Subject, event_subject, org_subject
from tests.chaos.conference import EVENT_ID, ORG_ID
from tests.chaos.control import Controls
from tests.chaos.control import chance_of as chance_of_orders
from tests.chaos.drawn import Drawn
from tests.chaos.history import History
from tests.chaos.judge import judge
from tests.chaos.log import evict
from tests.chaos.machine import Process, VirtualClock, VirtualLoop, end_everything, task_outside
from tests.chaos.mapped import Mapped
from tests.chaos.orgs import Orgs
from tests.chaos.peer import live_peer
from tests.chaos.replica import composed_on, live
from tests.chaos.second import EVENTS, OTHER_EVENT, OTHER_ORG, both
from tests.chaos.verdict import Verdict, logging_to

_LONGEST: Final = 2 * 3600.0
_LOOK: Final = 2.0
_WORKERS: Final = 2
_EXPECTED_EFFECTS: Final = 600


def run(seed: int, redis_url: str, *, who: str = "service", faults: int = 6) -> Verdict:
    """Play one seed on an empty database of a Valkey. `who`: `service` or `peer`; `faults`: how many at most."""
    verdict = Verdict(seed, who)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, logging_to(verdict):
        runner.run(_play(seed, redis_url, who, faults, verdict))
    return verdict


async def _play(seed: int, redis_url: str, who: str, faults: int, verdict: Verdict) -> None:
    random.seed(seed)  # redis-py's pauses
    await _Run(seed, redis_url, who, faults, verdict).play()


class _Run(Drawn):
    """A run in progress."""

    def __init__(self, seed: int, redis_url: str, who: str, faults: int, verdict: Verdict) -> None:
        super().__init__(seed, redis_url, who, verdict)
        self._faults = faults
        self._controls: Controls | None = None
        self._workers: list[Process] = []
        self._lives = 0

    async def play(self) -> None:
        """Everything."""
        effects, verdict = self.effects, self.verdict
        if self._faults:
            effects.plan(self._faults, _EXPECTED_EFFECTS, creates=self.creates)
        with composed_on(self.around):
            stores = open_stores(self.settings)
            self.deliveries.open(stores)
            orgs = self._two(stores) if self.orgs_chance else None
            histories = orgs.histories if orgs else (self._history(stores, EVENT_ID),)
            keepers = [task_outside(self._keep_alive(number)) for number in range(_WORKERS)]
            if self.jump and self.who == "service":
                keepers.append(task_outside(self._set_clock()))
            if self.settings.webhooks.enabled == "on":
                keepers.append(task_outside(self._touch()))
            try:
                if orgs:
                    await orgs.begin()
                    await orgs.go_on()
                else:
                    await histories[0].begin()
                    await histories[0].go_on(8 if self.fields else 5)
                effects.calm = True
                await self._idle()
                if self.fields:  # F4: `always` wins in a reconcile that nothing cuts short
                    await histories[0].survey(Depth.SHALLOW)
                    await self._idle()
                if orgs:
                    orgs.last_word()
                    await orgs.idle()
                await judge(self, histories, stores, orgs, self._controls, self._idle)
            except TimeoutError as error:
                verdict.failures["converged"] = [str(error)]
            except Exception as error:  # noqa: BLE001 - the next step does not find what it stands on
                verdict.failures["lost"] = ["".join(traceback.format_exception(error))]
            finally:
                # What is logged from here on is no part of it.
                steps = orgs.steps if orgs else histories[0].steps
                verdict.met = Counter(line.split()[1] for line in steps)
                verdict.met |= Counter(
                    {f"name: {form}": n for form, n in (self.forms.used if self.forms else {}).items()}
                )
                verdict.met |= self.deliveries.met
                verdict.met |= Counter(self._controls.met if self._controls else [])
                verdict.story = [*verdict.story, *(orgs or histories[0]).steps]
                verdict.hits, verdict.seen, verdict.effects = effects.hits, effects.seen.copy(), effects.count
                effects.over = True
                for keeper in keepers:
                    keeper.cancel()
                for worker in self._workers:
                    worker.bury()
                await end_everything()
                await stores.redis.aclose()
                self.server.close()

    async def _touch(self) -> None:
        """Somebody saves records in Swoogo without a change, which is delivered like any edit."""
        chance = Random(f"touches {self.verdict.seed}")
        while not self.effects.calm:
            await asyncio.sleep(chance.uniform(5.0, 120.0))
            kind = chance.choice(("sessions", "speakers", "sponsors"))
            rows = self.sandbox.state()[kind]
            if rows:
                self.sandbox.edit(kind, chance.choice(rows)["id"], {})

    async def _set_clock(self) -> None:
        """As a failover to a server does whose clock is another."""
        await asyncio.sleep(self.jump_at)
        self.server.ahead = self.jump
        self.effects.tell(f"the clock of the Redis server was set by {self.jump:.0f} s")

    def _history(self, stores: Stores, event_id: int) -> History:
        return History(
            self.chance,
            self.log,
            self.sandbox,
            self.keys,
            self._idle,
            functools.partial(stores.inbox.request_survey, str(event_id)),
            self.rewind,
            self.server.lose_everything if self.who == "service" else lambda: None,
            self.forms,
            Mapped() if self.fields else None,
            undecided=bool(self.undecided),
            control=self._control(stores),
        )

    def _control(self, stores: Stores) -> Controls | None:
        """Who freezes and approves; not in runs of two organizations."""
        chance = None if self.orgs_chance or self.who == "peer" else chance_of_orders(self.verdict.seed)
        if chance is None:
            return None
        self._controls = Controls(
            chance,
            stores,
            self.settings,
            VirtualClock(chance, 0.0),
            lambda: round(self.server.now() * 1000),
            bool(self.jump),
        )
        return self._controls

    def _two(self, stores: Stores) -> Orgs:
        chance = self.orgs_chance
        assert chance is not None
        two_keys = chance.random() < 0.5
        first, second = self._history(stores, EVENT_ID), self._history(stores, OTHER_EVENT)
        histories = both(first, second, two_keys=two_keys)
        topic = self.settings.kafka.topics.status
        return Orgs(chance, histories, stores.connections, self._idle, topic, two_keys)

    async def _keep_alive(self, number: int) -> None:
        """What Kubernetes does: a process that died is started again after a while."""
        while True:
            self._lives += 1
            process = Process(f"worker {number}.{self._lives}")
            self._workers.append(process)
            task = process.start(live_peer(self.around) if self.who == "peer" else live(self.around))
            ended = asyncio.create_task(process.ended.wait())
            watched = asyncio.create_task(self._throw_out(process))
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not process.dead:
                error = task.exception()
                self.effects.tell(f"{process.name} ended by itself: {error!r}")
                process.kill()
            await asyncio.sleep(self.effects.chance.choice((0.5, 5.0, 45.0)))
            watched.cancel()
            for group in self.log.groups.values():
                for member in [each for each in group.members if each.process is process]:
                    group.leave(member)

    async def _throw_out(self, process: Process) -> None:
        while not process.dead:
            await asyncio.sleep(1.0 if process.frozen else 10.0)
            if process.frozen:
                await evict(self.log, process)

    async def _idle(self) -> None:
        """Until everything published is read and nothing is due but the next reconcile."""
        started = asyncio.get_running_loop().time()
        quiet = 0
        while quiet < 2:
            busy = self._busy()
            quiet = 0 if busy else quiet + 1
            if busy and asyncio.get_running_loop().time() - started > _LONGEST:
                raise TimeoutError(f"After {_LONGEST / 3600:.0f} hours there is still work: {busy}.")
            await asyncio.sleep(_LOOK)

    def _busy(self) -> str:
        for group in self.log.groups.values():
            if group.lag:
                return f"{group.lag} records of {group.topic}"
        wanted = 3 if self.who == "peer" else 4
        if len(self.log.groups) < wanted:
            return "no one reads yet"
        if any(worker.frozen for worker in self._workers):
            return "somebody is paused"
        if self.effects.late:
            return "a call has yet to take effect"
        if self.effects.calm and self.sandbox.webhooks.under_way:
            return "a delivery is on its way"
        if self.who == "peer":
            return ""
        keys, now = Keys(self.settings.redis.prefix), self.server.now() * 1000
        if self.server.client.hget(keys.generation("marker"), "id") is None:
            return "Redis has not everything"
        if self.log.delayed or self.log.still > asyncio.get_running_loop().time():
            return "the broker stands still"
        if self.server.client.hlen(keys.orders("waiting")):
            return "an order waits"
        for subject in self._subjects():
            fields: Any = self.server.client.hmget(keys.subject(subject, "state"), ["due", "until", "survey"])
            due, until, survey = (None if each is None else int(each) for each in fields)
            if until and until > now:
                return f"{subject} is held"
            if due is not None or (survey is not None and survey <= now):
                return f"{subject} is due"
        return ""

    def _subjects(self) -> list[Subject]:
        if self.orgs_chance:
            return [*(event_subject(str(each)) for each in EVENTS), org_subject(ORG_ID), org_subject(OTHER_ORG)]
        return [event_subject(str(EVENT_ID)), org_subject(ORG_ID)]
