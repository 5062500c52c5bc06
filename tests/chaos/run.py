"""One seed, from the first record to the verdict."""

from __future__ import annotations

import asyncio
import functools
import random
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, Final

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.sealing import digests_of
from consumer.domain.records.ledger import State
from consumer.domain.surveys.survey import Depth
from consumer.ports import Subject, event_subject, org_subject
from sandbox.swoogo.server import SandboxSwoogo
from sandbox.swoogo.switches import Switches
from tests.chaos import checks
from tests.chaos.conference import EVENT_ID, ORG_ID
from tests.chaos.control import Controls
from tests.chaos.control import chance_of as chance_of_orders
from tests.chaos.deliveries import Deliveries
from tests.chaos.effects import Effects
from tests.chaos.history import History
from tests.chaos.log import Log, evict
from tests.chaos.machine import Process, VirtualClock, VirtualLoop, end_everything, seconds, task_outside
from tests.chaos.mapped import Mapped
from tests.chaos.names import Forms, lossy, storing
from tests.chaos.orgs import Orgs
from tests.chaos.peer import live_peer
from tests.chaos.replica import Surroundings, composed_on, live, settings_of
from tests.chaos.second import EVENTS, OTHER_EVENT, OTHER_ORG, both, chance_of
from tests.chaos.valkey import Server
from tests.chaos.verdict import Verdict, logging_to

_LONGEST: Final = 2 * 3600.0
_LOOK: Final = 2.0
_WORKERS: Final = 2
_EXPECTED_EFFECTS: Final = 600
_TOPICS: Final = ("mappings", "sessions", "speakers", "sponsors")


def run(seed: int, redis_url: str, *, who: str = "service", faults: int = 6) -> Verdict:
    """Play one seed on an empty database of a Valkey. `who`: `service` or `peer`; `faults`: how many at most."""
    verdict = Verdict(seed, who)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner, logging_to(verdict):
        runner.run(_play(seed, redis_url, who, faults, verdict))
    return verdict


async def _play(seed: int, redis_url: str, who: str, faults: int, verdict: Verdict) -> None:
    random.seed(seed)  # redis-py's pauses
    await _Run(seed, redis_url, who, faults, verdict).play()


_JUMPS: Final = 1 / 3
_HOOKS: Final = 1 / 2


class _Run:
    """A run in progress."""

    def __init__(self, seed: int, redis_url: str, who: str, faults: int, verdict: Verdict) -> None:
        self._who = who
        self._verdict = verdict
        self._faults = faults
        # What happens and what breaks are drawn apart, so that the peer meets the same history and the same faults.
        self._chance = Random(f"history {seed}")
        self._effects = Effects(Random(f"faults {seed}"))
        self._effects.told = verdict.story
        self._server = Server(redis_url, self._effects)
        limit = self._chance.choice((60, 90, 200, 2000))
        window = 60.0 if limit < 200 else 150.0
        # In a third the clock of the Redis server is set once, by up to an hour back or forth.
        jumps = Random(f"jumps {seed}")
        self._jump = jumps.choice((-3600.0, -600.0, -30.0, 30.0, 600.0, 3600.0)) if jumps.random() < _JUMPS else 0.0
        self._jump_at = jumps.uniform(1.0, 900.0)
        # Half of the runs have webhooks; then Swoogo's clock and ours differ by as much as the latter is set.
        hooks = abs(self._jump) + 5.0 if who == "service" and Random(f"webhooks {seed}").random() < _HOOKS else None
        self._keys, self._settings = settings_of(redis_url, limit, window, hooks)
        self._deliveries = Deliveries(seed, self._settings, self._effects)
        # Half of the runs write names in every form, to a Swoogo that stores text as it pleases; the peer is spared.
        forms = Random(f"forms {seed}")
        odd = who == "service" and forms.random() < 0.5
        switches = storing(forms) if odd else Switches()
        # Two events of an account know nothing of each other's tiers: one stored under another name is added twice.
        self._forms = Forms(seed, tiers=not lossy(switches) or chance_of(seed) is None) if odd else None
        # What people are told of such names; who cannot be told apart is for a person to decide (G2).
        self._quiet = ("name_shortened", "field_not_applied") if odd else ()
        self._undecided = ("ambiguous_match",) if lossy(switches) else ()
        if odd:
            self._verdict.story.append(f"    0.000 {switches}")
        self._sandbox = SandboxSwoogo(
            limit=limit, window=window, clock=seconds, switches=switches, deliver=self._deliveries
        )
        self._log = Log(self._effects)
        # A quarter of the runs is about creates without an answer, and clocks that are wrong by ten minutes.
        clocks = Random(f"clocks {seed}")
        self._creates = clocks.random() < 0.25
        off = (-600.0, 600.0) if self._creates else (-600.0, 0.0, 600.0)
        self._around = Surroundings(
            self._effects,
            self._server,
            self._sandbox,
            self._log,
            self._settings,
            lambda: clocks.choice(off) * (1.0 if self._creates else clocks.random()),
        )
        # A third plays two organizations with an event each; the peer knows of one.
        self._orgs_chance = chance_of(seed) if who == "service" else None
        # Half of the other runs, a third of all, map custom fields.
        self._fields = who == "service" and not odd and self._orgs_chance is None
        self._controls: Controls | None = None
        self._workers: list[Process] = []
        self._lives = 0

    async def play(self) -> None:
        """Everything."""
        effects, verdict = self._effects, self._verdict
        if self._faults:
            effects.plan(self._faults, _EXPECTED_EFFECTS, creates=self._creates)
        with composed_on(self._around):
            stores = open_stores(self._settings)
            self._deliveries.open(stores)
            orgs = self._two(stores) if self._orgs_chance else None
            histories = orgs.histories if orgs else (self._history(stores, EVENT_ID),)
            keepers = [task_outside(self._keep_alive(number)) for number in range(_WORKERS)]
            if self._jump and self._who == "service":
                keepers.append(task_outside(self._set_clock()))
            if self._settings.webhooks.enabled == "on":
                keepers.append(task_outside(self._touch()))
            try:
                if orgs:
                    await orgs.begin()
                    await orgs.go_on()
                else:
                    await histories[0].begin()
                    await histories[0].go_on(8 if self._fields else 5)
                effects.calm = True
                await self._idle()
                if self._fields:  # F4: `always` wins in a reconcile that nothing cuts short
                    await histories[0].survey(Depth.SHALLOW)
                    await self._idle()
                if orgs:
                    orgs.last_word()
                    await orgs.idle()
                await self._check(histories, stores, orgs)
            except TimeoutError as error:
                verdict.failures["converged"] = [str(error)]
            except Exception as error:  # noqa: BLE001 - the next step does not find what it stands on
                verdict.failures["lost"] = ["".join(traceback.format_exception(error))]
            finally:
                # What is logged from here on is no part of it.
                steps = orgs.steps if orgs else histories[0].steps
                verdict.met = Counter(line.split()[1] for line in steps)
                verdict.met |= Counter(
                    {f"name: {form}": n for form, n in (self._forms.used if self._forms else {}).items()}
                )
                verdict.met |= self._deliveries.met
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
                self._server.close()

    async def _touch(self) -> None:
        """Somebody saves records in Swoogo without a change, which is delivered like any edit."""
        chance = Random(f"touches {self._verdict.seed}")
        while not self._effects.calm:
            await asyncio.sleep(chance.uniform(5.0, 120.0))
            kind = chance.choice(("sessions", "speakers", "sponsors"))
            rows = self._sandbox.state()[kind]
            if rows:
                self._sandbox.edit(kind, chance.choice(rows)["id"], {})

    async def _set_clock(self) -> None:
        """As a failover to a server does whose clock is another."""
        await asyncio.sleep(self._jump_at)
        self._server.ahead = self._jump
        self._effects.tell(f"the clock of the Redis server was set by {self._jump:.0f} s")

    def _history(self, stores: Stores, event_id: int) -> History:
        return History(
            self._chance,
            self._log,
            self._sandbox,
            self._keys,
            self._idle,
            functools.partial(stores.inbox.request_survey, str(event_id)),
            self._rewind,
            self._server.lose_everything if self._who == "service" else lambda: None,
            self._forms,
            Mapped() if self._fields else None,
            undecided=bool(self._undecided),
            control=self._control(stores),
        )

    def _control(self, stores: Stores) -> Controls | None:
        """Who freezes and approves; not in runs of two organizations."""
        chance = None if self._orgs_chance or self._who == "peer" else chance_of_orders(self._verdict.seed)
        if chance is None:
            return None
        self._controls = Controls(
            chance,
            stores,
            self._settings,
            VirtualClock(chance, 0.0),
            lambda: round(self._server.now() * 1000),
            bool(self._jump),
        )
        return self._controls

    def _two(self, stores: Stores) -> Orgs:
        chance = self._orgs_chance
        assert chance is not None
        two_keys = chance.random() < 0.5
        first, second = self._history(stores, EVENT_ID), self._history(stores, OTHER_EVENT)
        histories = both(first, second, two_keys=two_keys)
        topic = self._settings.kafka.topics.status
        return Orgs(chance, histories, stores.connections, self._idle, topic, two_keys)

    async def _keep_alive(self, number: int) -> None:
        """What Kubernetes does: a process that died is started again after a while."""
        while True:
            self._lives += 1
            process = Process(f"worker {number}.{self._lives}")
            self._workers.append(process)
            task = process.start(live_peer(self._around) if self._who == "peer" else live(self._around))
            ended = asyncio.create_task(process.ended.wait())
            watched = asyncio.create_task(self._throw_out(process))
            await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and not process.dead:
                error = task.exception()
                self._effects.tell(f"{process.name} ended by itself: {error!r}")
                process.kill()
            await asyncio.sleep(self._effects.chance.choice((0.5, 5.0, 45.0)))
            watched.cancel()
            for group in self._log.groups.values():
                for member in [each for each in group.members if each.process is process]:
                    group.leave(member)

    async def _throw_out(self, process: Process) -> None:
        while not process.dead:
            await asyncio.sleep(1.0 if process.frozen else 10.0)
            if process.frozen:
                await evict(self._log, process)

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
        for group in self._log.groups.values():
            if group.lag:
                return f"{group.lag} records of {group.topic}"
        wanted = 3 if self._who == "peer" else 4
        if len(self._log.groups) < wanted:
            return "no one reads yet"
        if any(worker.frozen for worker in self._workers):
            return "somebody is paused"
        if self._effects.late:
            return "a call has yet to take effect"
        if self._effects.calm and self._sandbox.webhooks.under_way:
            return "a delivery is on its way"
        if self._who == "peer":
            return ""
        keys, now = Keys(self._settings.redis.prefix), self._server.now() * 1000
        if self._server.client.hget(keys.generation("marker"), "id") is None:
            return "Redis has not everything"
        if self._log.delayed or self._log.still > asyncio.get_running_loop().time():
            return "the broker stands still"
        if self._server.client.hlen(keys.orders("waiting")):
            return "an order waits"
        for subject in self._subjects():
            fields: Any = self._server.client.hmget(keys.subject(subject, "state"), ["due", "until", "survey"])
            due, until, survey = (None if each is None else int(each) for each in fields)
            if until and until > now:
                return f"{subject} is held"
            if due is not None or (survey is not None and survey <= now):
                return f"{subject} is due"
        return ""

    def _subjects(self) -> list[Subject]:
        if self._orgs_chance:
            return [*(event_subject(str(each)) for each in EVENTS), org_subject(ORG_ID), org_subject(OTHER_ORG)]
        return [event_subject(str(EVENT_ID)), org_subject(ORG_ID)]

    def _rewind(self) -> None:
        for group in self._log.groups.values():
            group.rewind()

    async def _check(self, histories: Sequence[History], stores: Stores, orgs: Orgs | None) -> None:
        verdict, topics = self._verdict, self._settings.kafka.topics
        missing = _each(checks.missing, histories)
        verdict.doubled = sum(checks.twice(history) for history in histories)
        verdict.lost = len(missing)
        found = {"lost": missing, "doubled": [f"{verdict.doubled} records"] if verdict.doubled else []}
        found["credits"] = checks.overspent(self._sandbox)
        found["webhooks"] = self._deliveries.wrong
        found["orders"] = self._controls.wrong if self._controls else []
        if self._who == "service":
            lost = _each(checks.lost, histories)
            found["doubled"] = checks.doubled(self._sandbox, histories)
            runs = RedisRuns(stores.redis, stores.keys)
            found["dead letters"] = _each(lambda each: checks.untold(each, self._log, topics.dead_letters), histories)
            found["fields"] = _each(lambda each: each.fields.wrong(each) if each.fields else [], histories)
            found["issues"], undecided = [], False
            book = RedisLedger(stores.redis, stores.keys, stores.scripts, _NoChangelog())
            older = checks.left_older(self._log, topics.speakers)
            for history in histories:
                issues = await runs.issues(str(history.event.id))
                found["issues"] += checks.complaints(issues, (*self._quiet, *self._undecided), older)
                undecided |= any(each.code in self._undecided for each in issues.values())
                # A loss of Redis takes issues along; of an event without a pair no one raises them again.
                if self._undecided and not history.mapped:
                    ledger = await book.load(str(history.event.id))
                    undecided |= any(entry.state is State.INTENT for entry in ledger.values())
            # What a person has to decide is not there yet, and was told (G1), though a disconnect may have sealed it.
            said = (each.value or b"" for part in self._log.topics[topics.status] for each in part)
            undecided |= any(code.encode() in value for value in said for code in self._undecided)
            found["lost"] = [] if undecided else lost or missing
            before = checks.writes(self._sandbox)
            self._rewind()
            for history in histories:
                if history.mapped:
                    await stores.inbox.request_survey(str(history.event.id), Depth.DEEP)
            await self._idle()
            # What a paused worker sent on too late is put right by the next push, and that has been one.
            # An event that has no pair any more waits for its next one with that.
            found["changelog"], found["images"], found["issues topic"] = [], [], []
            for history in histories:
                stands = (await runs.issues(str(history.event.id))).values() if history.mapped else ()
                found["issues topic"] += checks.mistold(history.event.id, stands, self._log, topics.issues)
            for history in (each for each in histories if each.mapped):
                ledger = await book.load(str(history.event.id))
                found["changelog"] += checks.unlogged(history.event.id, ledger, self._log, topics.ledger)
                state = await stores.inbox.load(str(history.event.id))
                found["images"] += checks.unpictured(state.snapshot, ledger, digests_of(self._settings.keys))
            more = checks.writes(self._sandbox) - before
            found["settled"] = [f"a replay and a reconcile wrote: {each}" for each in more]
            found["lost afterwards"] = _each(checks.lost, histories) if not (lost or undecided) else []
            if orgs:
                pairs = await RedisPairs(stores.redis, stores.keys, stores.scripts, _NoChangelog()).all()
                mappings = {str(each): await stores.connections.mapping(str(each)) for each in EVENTS}
                active = {event: mapping for event, mapping in mappings.items() if mapping}
                found["pairs"] = checks.mispaired(orgs, pairs, active, self._log, topics.ledger)
                found["trespasses"] = checks.trespasses(orgs, self._sandbox)
        verdict.failures = {name: sentences for name, sentences in found.items() if sentences}


def _each(check: Callable[[History], list[str]], histories: Iterable[History]) -> list[str]:
    return [sentence for history in histories for sentence in check(history)]


class _NoChangelog:
    """Ledger and register are only read here."""

    def write(self, event_id: str, entries: Any) -> Awaitable[None]:
        """Never called."""
        raise AssertionError

    def note(self, event_id: str, deletions: Any) -> Awaitable[None]:
        """Never called."""
        raise AssertionError

    def write_pairs(self, pairs: Any) -> Awaitable[None]:
        """Never called."""
        raise AssertionError
