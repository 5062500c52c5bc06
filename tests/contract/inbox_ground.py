"""What the contract tests of the inbox share."""

from __future__ import annotations

from consumer.ports import event_subject
from tests.contract.bench import Bench
from tests.support.builders import EVENT

SUBJECT = event_subject(EVENT)


async def is_due(bench: Bench) -> bool:
    return SUBJECT in (await bench.inbox.due(100)).subjects
