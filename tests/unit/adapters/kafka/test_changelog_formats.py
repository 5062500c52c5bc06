"""Values of the changelog: those of before and of today are read, those of later are known as such."""

from __future__ import annotations

import msgspec
import pytest

from consumer.adapters.kafka.changelog import (
    FORMAT,
    deletion_record,
    latest_format,
    ledger_value,
    pair_value,
    remembered,
    state_record,
    understands,
)
from consumer.adapters.kafka.convert import deleted_row
from consumer.domain.connection_state import ConnectionState, Generation, PairState
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import PoisonError
from consumer.domain.records.identity import Source, stamp
from consumer.ports import Change, RawRecord
from consumer.ports.rebuild import EVERY_ORGANIZATION, Logged, LoggedDeletion, NewerRecord
from schemas.ledger import read_ledger_value
from tests.support.builders import EVENT, ORG, an_entry, an_intent

pytestmark = pytest.mark.rule("G6")

ENTRY = an_entry(7, epoch=3, at=50)
PAIR = Pair(EVENT, 4711, ORG, mapped_at=5)
VOIDED = Pair(EVENT, 4711, ORG, 5, ended_at=6, ended_by=PairEnd.REMOVED).voided(7, "the wrong one")
SECOND = Pair(EVENT, 4712, ORG, mapped_at=8, round=1)
CONNECTION = ConnectionState(ORG, None, {}, 3)
MAPPING = PairState(ORG, EVENT, None, "1", 3)
GONE = Change("contact/c1", stamp(7, 7, 3), deleted_row(Source.CONTACT, "c1", 7), deleted=True)
WRITTEN = {
    "entry": (f"{EVENT}/session/s1", ledger_value("session/s1", ENTRY), Logged(EVENT, "session/s1", ENTRY, 9)),
    "pair": (f"{EVENT}/pair/4711", pair_value(PAIR), PAIR),
    "connection": (f"{ORG}/connection/{ORG}", state_record(CONNECTION)[1], CONNECTION),
    "mapping": (f"{EVENT}/mapping/{ORG}", state_record(MAPPING)[1], MAPPING),
    "contact": (
        f"{EVENT}/contact/c1",
        deletion_record(EVENT, "c1", GONE.stamp)[1],
        LoggedDeletion(EVENT, GONE),
    ),
    "generation": ("service/generation/marker", state_record(Generation("g"))[1], Generation("g")),
}
OWNERS = {"pair": (EVENT, EVERY_ORGANIZATION), "mapping": (EVENT, ORG)}


def record(key: str | bytes | None, value: bytes | None) -> RawRecord:
    return RawRecord("ledger", 0, 0, 9, key.encode() if isinstance(key, str) else key, value)


def changed(value: bytes, **fields: object) -> bytes:
    """The value with other fields; a format of None takes it out."""
    held = {**msgspec.json.decode(value), **fields}
    return msgspec.json.encode({name: each for name, each in held.items() if name != "format" or each})


@pytest.mark.parametrize("name", WRITTEN)
def test_every_value_says_its_format_and_comes_back(name: str) -> None:
    key, value, said = WRITTEN[name]
    assert msgspec.json.decode(value)["format"] == FORMAT
    assert read_ledger_value(value).format == FORMAT
    assert remembered(record(key, value)) == said


@pytest.mark.parametrize("name", WRITTEN)
def test_values_from_before_formats_were_written_are_read(name: str) -> None:
    key, value, said = WRITTEN[name]
    assert remembered(record(key, changed(value, format=None))) == said


@pytest.mark.parametrize("name", WRITTEN)
def test_a_value_of_the_next_format_is_known_as_such(name: str) -> None:
    key, value, _ = WRITTEN[name]
    kind = key.split("/")[1]
    following = latest_format(kind) + 1
    found = remembered(record(key, changed(value, format=following, state={"made": "later"})))
    assert isinstance(found, NewerRecord)
    assert found == NewerRecord(OWNERS.get(name, (key.split("/")[0],)), f"{kind}/{following}")
    assert not understands(found.what)


@pytest.mark.rule("M8")
@pytest.mark.parametrize("pair", [VOIDED, SECOND], ids=["voided", "of the second round"])
def test_a_former_version_leaves_what_comes_of_voiding_alone(pair: Pair) -> None:
    """It would take one of two pairs for the only one; of all others it reads what it always did."""
    value = pair_value(pair)
    assert msgspec.json.decode(value)["format"] == latest_format("pair") == 2
    assert read_ledger_value(value).format == 2
    assert remembered(record(f"{EVENT}/pair/{pair.swoogo_event_id}", value)) == pair
    assert msgspec.json.decode(pair_value(PAIR))["format"] == 1


def test_a_kind_of_a_later_version_is_known_as_such() -> None:
    found = remembered(record(f"{EVENT}/novelty/n1", b'{"kind": "novelty", "format": 1}'))
    assert found == NewerRecord((EVENT,), "novelty/1")
    assert not understands("novelty/1")
    assert understands("session/1")


def test_a_null_value_forgets_an_entry_and_says_nothing_of_other_kinds() -> None:
    assert remembered(record(f"{EVENT}/session/s1", None)) == Logged(EVENT, "session/s1", None, 9)
    assert remembered(record(f"{EVENT}/pair/4711", None)) is None
    assert remembered(record(f"{EVENT}/novelty/n1", None)) is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param(None, b"{}", id="no key"),
        pytest.param("a/b", b'{"kind": "b"}', id="a key of another shape"),
        pytest.param(b"\xff/session/s1", b"{}", id="a key that is no text"),
        pytest.param(f"{EVENT}/session/s1", b"not JSON", id="no JSON"),
        pytest.param(f"{EVENT}/session/s1", b"[]", id="no object"),
        pytest.param(f"{EVENT}/session/s1", b"{}", id="no kind"),
        pytest.param(f"{EVENT}/session/s1", ledger_value("speaker/s1", ENTRY), id="another kind than its key"),
        pytest.param(f"{EVENT}/session/s1", b'{"kind": "session", "format": 1}', id="no state"),
        pytest.param(
            f"{EVENT}/session/s1", changed(ledger_value("session/s1", ENTRY), state="unheard of"), id="unknown state"
        ),
        pytest.param(
            f"{EVENT}/session/s1", ledger_value("session/s1", an_intent("opening"))[:-9], id="a value that was cut"
        ),
    ],
)
def test_what_no_version_writes_cannot_be_read(key: str | bytes | None, value: bytes) -> None:
    with pytest.raises(PoisonError):
        remembered(record(key, value))
