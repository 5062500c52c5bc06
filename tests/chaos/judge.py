"""The verdict of a run: every check of `checks`, and that a replay and a reconcile write nothing more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import Stores
from consumer.domain.records.ledger import State
from consumer.domain.surveys.survey import Depth
from tests.chaos import checks
from tests.chaos.control import Controls
from tests.chaos.drawn import Drawn
from tests.chaos.history import History
from tests.chaos.orgs import Orgs
from tests.chaos.second import EVENTS


async def judge(
    run: Drawn,
    histories: Sequence[History],
    stores: Stores,
    orgs: Orgs | None,
    controls: Controls | None,
    idle: Callable[[], Awaitable[None]],
) -> None:
    """Write to the verdict what is not as it must be, now that everything has calmed down."""
    verdict, topics = run.verdict, run.settings.kafka.topics
    missing = _each(checks.missing, histories)
    verdict.doubled = sum(checks.twice(history) for history in histories)
    verdict.lost = len(missing)
    found = {"lost": missing, "doubled": [f"{verdict.doubled} records"] if verdict.doubled else []}
    found["credits"] = checks.overspent(run.sandbox)
    found["webhooks"] = run.deliveries.wrong
    found["orders"] = controls.wrong if controls else []
    if run.who == "service":
        lost = _each(checks.lost, histories)
        found["doubled"] = checks.doubled(run.sandbox, histories)
        runs = RedisRuns(stores.redis, stores.keys)
        found["dead letters"] = _each(lambda each: checks.untold(each, run.log, topics.dead_letters), histories)
        found["fields"] = _each(lambda each: each.fields.wrong(each) if each.fields else [], histories)
        found["issues"], undecided = [], False
        book = RedisLedger(stores.redis, stores.keys, stores.scripts, _NoChangelog(), stores.archive)
        older = checks.left_older(run.log, topics.speakers)
        for history in histories:
            issues = await runs.issues(str(history.event.id))
            found["issues"] += checks.complaints(issues, (*run.quiet, *run.undecided), older)
            undecided |= any(each.code in run.undecided for each in issues.values())
            # A loss of Redis takes issues along; of an event without a pair no one raises them again.
            if run.undecided and not history.mapped:
                ledger = await book.load(str(history.event.id))
                undecided |= any(entry.state is State.INTENT for entry in ledger.values())
        # What a person has to decide is not there yet, and was told (G1), though a disconnect may have sealed it.
        said = (each.value or b"" for part in run.log.topics[topics.status] for each in part)
        undecided |= any(code.encode() in value for value in said for code in run.undecided)
        found["lost"] = [] if undecided else lost or missing
        before = checks.writes(run.sandbox)
        run.rewind()
        for history in histories:
            if history.mapped:
                await stores.inbox.request_survey(str(history.event.id), Depth.DEEP)
        await idle()
        # What a paused worker sent on too late is put right by the next push, and that has been one.
        # An event that has no pair any more waits for its next one with that.
        found["changelog"], found["images"], found["issues topic"] = [], [], []
        for history in histories:
            stands = (await runs.issues(str(history.event.id))).values() if history.mapped else ()
            found["issues topic"] += checks.mistold(history.event.id, stands, run.log, topics.issues)
        for history in (each for each in histories if each.mapped):
            ledger = await book.load(str(history.event.id))
            found["changelog"] += checks.unlogged(history.event.id, ledger, run.log, topics.ledger)
            state = await stores.inbox.load(str(history.event.id))
            found["images"] += checks.unpictured(state.snapshot, ledger, digests_of(run.settings.keys))
        more = checks.writes(run.sandbox) - before
        found["settled"] = [f"a replay and a reconcile wrote: {each}" for each in more]
        found["lost afterwards"] = _each(checks.lost, histories) if not (lost or undecided) else []
        if orgs:
            pairs = await RedisPairs(stores.redis, stores.keys, stores.scripts, _NoChangelog()).all()
            mappings = {str(each): await stores.connections.mapping(str(each)) for each in EVENTS}
            active = {event: mapping for event, mapping in mappings.items() if mapping}
            found["pairs"] = checks.mispaired(orgs, pairs, active, run.log, topics.ledger)
            found["trespasses"] = checks.trespasses(orgs, run.sandbox)
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
