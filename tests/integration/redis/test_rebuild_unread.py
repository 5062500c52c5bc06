"""What a rebuild on real Redis makes of records that it cannot read: damaged ones, and those of a later version."""

from __future__ import annotations

import msgspec
import pytest

from consumer.adapters.kafka.changelog import FORMAT, latest_format, ledger_value, pair_value
from consumer.adapters.redis import rebuild_marker
from consumer.domain.errors import RetryableError, UnavailableError
from consumer.ports import RawRecord, event_subject, org_subject
from consumer.ports.rebuild import NewerRecord, Remembered
from consumer.services.rebuild_ports import UnreadableChangelogError
from tests.support.builders import an_entry
from tests.support.history import ListedHistory
from tests.support.rebuild_ground import EVENT, ORG, PAIR, Ground, restored

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(f"{EVENT}/session/s2", b"not JSON", id="an entry"),
        pytest.param(f"{EVENT}/pair/4712", b"{}", id="a pair"),
        pytest.param("nonsense", b"{}", id="a key"),
        pytest.param(f"{EVENT}/session/s2", ledger_value("session/s2", an_entry(2))[:-1], id="a value that was cut"),
    ],
)
async def test_an_unreadable_record_stops_the_rebuild_which_says_where_it_is(
    ground: Ground, key: str, value: bytes
) -> None:
    """Passing it over would create again what it spoke of. Publishing another value under its key sets it right."""
    ground.synced()
    ground.history.add(ground.history.ledger, key.encode(), value)
    ground.history.log_entry(EVENT, "session/s3", an_entry(3))
    replica = ground.replica()
    for _ in range(2):  # also when it is tried again: what was read before is not forgotten
        with pytest.raises(UnreadableChangelogError) as told:
            await ground.replica().rebuilder.restore()
        assert f"offset 4 of {ground.history.ledger}, partition 0." in str(told.value)
        assert not await replica.rebuilder.is_redis_complete()
    shown = await replica.markers.progress()
    assert shown is not None
    assert shown.trouble == str(told.value)
    ground.history.add(ground.history.ledger, key.encode(), None)
    assert await replica.rebuilder.restore()
    assert await replica.rebuilder.is_redis_complete()
    assert b"session/s3" in (await restored(ground, replica))["entries"]


async def test_an_unreadable_record_that_was_overwritten_stops_nothing(ground: Ground) -> None:
    ground.synced()
    ground.history.add(ground.history.ledger, f"{EVENT}/session/s2".encode(), b"not JSON")
    ground.history.log_entry(EVENT, "session/s2", an_entry(2))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    assert b"session/s2" in (await restored(ground, replica))["entries"]


def next_format(value: bytes) -> bytes:
    """As the next version writes it; this one would misread it."""
    held = msgspec.json.decode(value)
    if "swoogo_id" in held:
        held["swoogo_id"] = {"id": held["swoogo_id"]}
    return msgspec.json.encode({**held, "format": latest_format(held["kind"]) + 1})


class NextVersion(ListedHistory):
    """The same Kafka, as the next version reads it."""

    def remembered(self, record: RawRecord) -> Remembered | None:
        """See `ports.rebuild.RebuildSource`."""
        said = super().remembered(record)
        if not isinstance(said, NewerRecord):
            return said
        held = msgspec.json.decode(record.value or b"")
        if isinstance(held.get("swoogo_id"), dict):
            held["swoogo_id"] = held["swoogo_id"]["id"]
        return super().remembered(
            msgspec.structs.replace(record, value=msgspec.json.encode({**held, "format": FORMAT}))
        )

    def understands(self, what: str) -> bool:
        """See `ports.rebuild.RebuildSource`."""
        return int(what.partition("/")[2]) <= FORMAT + 1


def next_version(history: ListedHistory) -> NextVersion:
    return NextVersion(history.records, history.taken, announced=history.announced)


async def test_what_a_later_version_wrote_is_left_to_it(ground: Ground) -> None:
    """Two versions side by side: the older one rebuilds, leaves that event alone, and goes on with the others. The
    later one reads what was left, from where it lies, also when it comes after the rebuild.
    """
    ground.synced()
    entry = an_entry(2, epoch=8, at=60)
    ground.history.add(
        ground.history.ledger, f"{EVENT}/session/s2".encode(), next_format(ledger_value("session/s2", entry))
    )
    ground.history.log_entry("other", "session/s3", an_entry(3, epoch=8, at=70))
    older, later = ground.replica(), ground.replica(history=next_version(ground.history))
    assert await older.rebuilder.restore()
    assert await older.rebuilder.is_redis_complete()
    reason = older.rebuilder.deferral(event_subject(EVENT), ORG)
    assert reason == (
        f"The changelog holds records about event/{EVENT} that only a later version reads (session/{FORMAT + 1}); "
        "it waits for a replica of that version."
    )
    assert older.rebuilder.deferral(event_subject("other")) == ""
    assert older.rebuilder.deferral(org_subject(ORG)) == ""
    await older.rebuilder._advance()
    [position] = [
        offset for place, offset in (await older.markers.look()).offsets.items() if place.topic == ground.history.ledger
    ]
    assert position == 4
    assert not await later.rebuilder.is_redis_complete()
    assert await later.rebuilder.restore()
    for each in (older, later):
        assert await each.rebuilder.is_redis_complete()
        assert each.rebuilder.deferral(event_subject(EVENT), ORG) == ""
    assert b"session/s2" in (await restored(ground, later))["entries"]


@pytest.mark.rule("M2")
@pytest.mark.parametrize(
    ("key", "value", "waiting"),
    [
        pytest.param(f"{EVENT}/novelty/n1", b'{"kind": "novelty", "format": 1}', {EVENT}, id="a kind"),
        pytest.param(f"{EVENT}/pair/4712", next_format(pair_value(PAIR)), {EVENT, ORG}, id="a pair"),
        pytest.param(f"{EVENT}/mapping/{ORG}", b'{"kind": "mapping", "format": 2}', {EVENT, ORG}, id="a mapping"),
        pytest.param(f"{ORG}/connection/{ORG}", b'{"kind": "connection", "format": 2}', {EVENT, ORG}, id="connection"),
    ],
)  # fmt: skip
async def test_a_record_of_a_later_version_holds_up_what_it_concerns(
    ground: Ground, key: str, value: bytes, waiting: set[str]
) -> None:
    """With part of the history of pairs nothing is connected or mapped; a downgrade waits in the same way."""
    ground.synced()
    ground.history.add(ground.history.ledger, key.encode(), value)
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    assert await replica.rebuilder.is_redis_complete()
    deferral = replica.rebuilder.deferral
    assert bool(deferral(event_subject(EVENT), ORG)) is (EVENT in waiting)
    assert bool(deferral(org_subject(ORG))) is (ORG in waiting)
    assert not deferral(event_subject("other"), "another organization")
    again = ground.replica()  # as after a restart of the service
    assert await again.rebuilder.is_redis_complete()
    assert again.rebuilder.deferral(event_subject(EVENT), ORG) == deferral(event_subject(EVENT), ORG)
    ground.history.add(ground.history.ledger, key.encode(), None)
    await ground.redis.hset(again.stores.keys.generation("marker"), "server", "the process before")
    assert await again.rebuilder.restore()
    assert await again.rebuilder.is_redis_complete()
    assert not again.rebuilder.deferral(event_subject(EVENT), ORG)


async def test_a_marker_of_a_later_version_is_not_judged(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    about = replica.stores.keys.generation("about")
    await ground.redis.hset(about, "format", rebuild_marker.FORMAT + 1)
    with pytest.raises(RetryableError, match="which a later version wrote"):
        await replica.rebuilder.is_redis_complete()


async def test_progress_of_a_rebuild_that_another_version_ended_counts_no_more(ground: Ground) -> None:
    """The first version knows nothing of it: what it put back later must not be overwritten by what was read before."""
    ground.synced()
    ground.history.batch, ground.history.give = 1, 4
    replica = ground.replica()
    with pytest.raises(UnavailableError):
        await replica.rebuilder.restore()
    marker, keys = await replica.markers.look(), replica.stores.keys
    assert (await replica.markers.resume(marker)).states
    # As the first version ends a rebuild.
    await ground.redis.hset(keys.generation("marker"), mapping={"id": "another", "server": marker.server})
    await ground.redis.delete(keys.generation("lock"), keys.generation("progress"))
    resumed = await replica.markers.resume(await replica.markers.look())
    assert (resumed.offsets, resumed.states) == ({}, ())
