"""`pairs void`: take back a pair that never synced anything (M8).

Only the holder of the event can tell that nothing is synced meanwhile, so this asks a running service.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.order import OrderKind
from consumer.domain.pair import Pair, not_voidable
from consumer.entrypoints.cli.arguments import Actor, AsJson, Event, Sure, by
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.orders import give
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.cli.prompts import confirmed
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import plain
from consumer.settings import load_settings


@dataclass(frozen=True, slots=True)
class VoidDocument:
    """What `pairs void --json` prints: the pair that a running service was asked to take back."""

    event_id: str
    swoogo_event_id: int
    org_id: str
    reason: str


def void(
    event: Event,
    reason: Annotated[
        str,
        typer.Option(
            "--reason", metavar="TEXT", help="Why. It goes to the service's log and its changelog: no personal data."
        ),
    ],
    *,
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Take back a pair that never synced anything, so that both events may be mapped to others.

    A pair is for ever as soon as anything was synced. A mapping that is in force has to be removed first. A running
    service takes the pair back at once, and deals with every mapping of this event that was asked for once more. Exit
    code 1 when the event was never mapped, is mapped now, or was synced, or the answer was no.
    """
    settings = load_settings()
    if not reason.strip():
        raise ConfigurationError("Say why: --reason TEXT.")
    (event_id, pair, refusal), _ = in_session(settings, lambda stores: _looked_up(stores, event))
    if pair is None or refusal:
        say(f"The pair of event {plain(event_id)} cannot be voided. {refusal}")
        return Exit.FAILED
    question = f"Let event {plain(event_id)} and Swoogo event {pair.swoogo_event_id} be mapped to others?"
    if not sure and not confirmed(question):
        return Exit.FAILED
    ids = {"swoogo_event_id": str(pair.swoogo_event_id)}
    give(settings, OrderKind.VOID, event_id, by(actor), reason, details=ids)
    if as_json:
        print_json(VoidDocument(event_id, pair.swoogo_event_id, pair.org_id, reason))
    else:
        paragraph(
            out(),
            f"The service takes back the pair of event {plain(event_id)} and Swoogo event {pair.swoogo_event_id} now; "
            "its log says what came of it.",
        )
    return Exit.OK


async def _looked_up(stores: StoreSession, event: str) -> tuple[str, Pair | None, str]:
    await require_complete(stores)
    event_id = await whole_event(stores, event)
    pair, ledger = await stores.pairs.pair(event_id), await stores.ledger.load(event_id)
    refusal = not_voidable(pair, 0, len(ledger))
    if not refusal and (await stores.inbox.waiting(event_id)).held:
        raise UnavailableError(f"A worker has event {event_id} at this moment. Ask again in a minute.")
    return event_id, pair, refusal
