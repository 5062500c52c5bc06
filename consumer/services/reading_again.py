"""What this version would make of a record that could not be read before; nothing is recorded (U5)."""

from __future__ import annotations

from consumer.domain.errors import PoisonError
from consumer.domain.orders.bulk import Foreseen, Outcome
from consumer.ports import Change, Decoder, RawRecord


def foresee_record(decoder: Decoder, record: RawRecord) -> Foreseen:
    """What would become of the record if it were put back now. The sentence of a failure repeats no value of it."""
    try:
        peeked = decoder.peek(record)
        read = decoder.read(peeked) if peeked else None
    except PoisonError as error:
        return Foreseen(Outcome.FAIL, f"Fail again with {error.reason}: {str(error).rstrip('.')}")
    if peeked is None or read is None:
        return Foreseen(Outcome.READ, "Be read, and passed over: it is not for this service")
    change = "a change of " if isinstance(read, Change) else ""
    where = f" of {peeked.subject.kind} {peeked.subject.id}" if peeked.subject else ""
    return Foreseen(Outcome.READ, f"Be read as {change}{peeked.key}{where}")
