"""Something that is parked, and the order that a dry run's page gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import SecretStr

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.identity import fingerprint
from consumer.domain.records.ledger import Entry, State
from consumer.settings import ConsoleSettings
from tests.support.builders import ORG
from tests.support.console import Visitor
from tests.support.desk import sent, soon

REFUSED: Final = Issue("session/s1", Code.REFUSED, parked=fingerprint({"description": "<p>New</p>"}), detail="No <b>.")
ORDERS_ON = ConsoleSettings(orders="on", secret=SecretStr("s" * 32), rate=100_000)


async def park(visitor: Visitor, *issues: Issue) -> None:
    desk = visitor.desk
    await desk.record(soon("s1", description="<p>New</p>"))
    pushed = Entry(State.APPLIED, swoogo_id=7, pushed=sent(soon("s1")), natural="n", at=1)
    run = desk.run(org_id=ORG)
    await desk.pushed({"session/s1": pushed}, {each.id: replace(each, at=desk.clock.now()) for each in issues}, run)


async def order(visitor: Visitor, path: str, act: str, reason: str = "It is allowed now.") -> tuple[int, str]:
    """Fill in the form of a dry run and send it: the status, and where it leads."""
    page = (await visitor.page(path)).html
    fields: dict[str, str | Sequence[str]] = {"act": act, "reason": reason}
    fields["order"] = re.findall(r'name="order" value="([^"]+)"', page)[0]
    fields["key"] = re.findall(r'name="key" value="([^"]+)"', page)
    fields["token"] = re.findall(r'name="token" value="([^"]+)"', page)[0]
    return await send(visitor, fields)


async def send(visitor: Visitor, fields: dict[str, str | Sequence[str]]) -> tuple[int, str]:
    answer = await visitor.post("/operations/retry/order", fields)  # type: ignore[arg-type]
    return answer.status_code, answer.headers.get("location", "")
