"""`freeze`, `thaw`, `approve`: what reaches Swoogo, and when (U1, U2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import typer

from consumer.domain.errors import ConfigurationError
from consumer.domain.orders.bulk import seconds_of
from consumer.domain.orders.order import OrderKind
from consumer.entrypoints.cli.arguments import Actor, AsJson, Event, Reason, Sure, by, reason_option
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.output import out, paragraph, print_json
from consumer.entrypoints.documents.control import FreezeRow, freeze_rows
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.orders import give_approval, plan_to_approve, refusal
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import counted, plain
from consumer.settings import load_settings

KindOption = Annotated[
    Literal["session", "speaker", "sponsor"] | None, typer.Option("--kind", help="Only records of this kind.")
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="NAME",
        help="Only this field of the kind, as `plan` names it; may be repeated. Also image, and sessions of speakers.",
    ),
]
Wait = Annotated[float, typer.Option("--timeout", min=0.0, help="Seconds to wait for the running service at most.")]
_WAIT: Final = 15.0


@dataclass(frozen=True, slots=True)
class ControlDocument:
    """What `freeze --json` and `thaw --json` print. `in_force`: the service has seen to it; `freezes`: all now."""

    event_id: str
    order_id: str
    in_force: bool
    freezes: tuple[FreezeRow, ...]


@dataclass(frozen=True, slots=True)
class ApprovalDocument:
    """What `approve --json` prints. `plan_id`: of the plan as it is now; `sentence`: why it was refused."""

    event_id: str
    approved: str
    plan_id: str
    done: bool
    in_force: bool
    sentence: str


def freeze(
    event: Event,
    *,
    kind: KindOption = None,
    fields: Fields = None,
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="TIME|DURATION",
            help="When it ends by itself: 2026-09-28T09:00:00+01:00, or 90m, 12h, 2d from now.",
        ),
    ] = "",
    reason: Reason,
    actor: Actor = "",
    timeout: Wait = _WAIT,
    as_json: AsJson = False,
) -> Exit:
    """Hold back what is new about an event, a kind of records or some fields, until a moment or until `thaw`.

    Changes are recorded; `plan` shows what waits. Nothing is sent and nothing is undone in Swoogo. Deletions, images
    and associations are frozen with their kind. A sync that runs now ends first. Exit code 3 when no running service
    has put it in force in time: it will.
    """
    if not reason.strip():
        raise ConfigurationError("Say why: --reason TEXT.")
    if fields and kind is None:
        raise ConfigurationError("--field goes with --kind: fields are of sessions, speakers or sponsors.")
    return _give(event, OrderKind.FREEZE, kind, fields, until, reason, actor, timeout, as_json=as_json)


def thaw(
    event: Event,
    *,
    kind: KindOption = None,
    fields: Fields = None,
    reason: Annotated[str, reason_option("Why; kept with the order.")] = "",
    actor: Actor = "",
    timeout: Wait = _WAIT,
    as_json: AsJson = False,
) -> Exit:
    """Lift the freezes of an event: all, those of a kind, or the one of exactly these fields. What waited is sent.

    With continuous sync at once, else with the next sync. Exit code 3 when no running service has seen to it in time.
    """
    return _give(event, OrderKind.THAW, kind, fields, "", reason, actor, timeout, as_json=as_json)


def approve(
    event: Event,
    plan: Annotated[str, typer.Argument(metavar="PLAN_ID", help="As `plan` shows it.")],
    *,
    reason: Annotated[str, reason_option("Why; kept with the order.")] = "",
    actor: Actor = "",
    timeout: Wait = _WAIT,
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Send exactly this plan, where the mapping says `approval: required`.

    When another plan has taken its place it is refused, now or by the push, and nothing is sent. Exit code 1 when it
    was refused or the answer was no; 3 when no running service has seen to it in time.
    """

    async def give(stores: StoreSession) -> ApprovalDocument | None:
        shown, operations = await plan_to_approve(stores, event)
        question = f"Send {counted(shown.calls, 'call')} for {counted(shown.credits, 'credit')}?"
        if not refusal(shown, plan) and not sure and not confirmed(question):
            return None
        order, receipt = await give_approval(stores, shown, operations, plan, by(actor), reason)
        seen = receipt.done and await stores.orders.in_force(order, timeout)
        return ApprovalDocument(
            shown.event_id, plan, shown.plan_id, done=receipt.done, in_force=seen, sentence=receipt.sentence
        )

    document, _ = in_session(load_settings(), give)
    if document is None:
        return Exit.FAILED
    if as_json:
        print_json(document)
    if not document.done:
        say(document.sentence)
        return Exit.FAILED
    if not as_json:
        paragraph(out(), f"Plan {plan} is approved{'; it is sent now' if document.in_force else ''}.")
    return _waited(document.in_force)


def _give(
    event: str,
    kind: OrderKind,
    records: str | None,
    fields: Sequence[str] | None,
    until: str,
    reason: str,
    actor: str,
    timeout: float,
    *,
    as_json: bool,
) -> Exit:
    async def give(stores: StoreSession) -> ControlDocument:
        event_id, now = await whole_event(stores, event), stores.clock.now()
        details = {"kind": records or "", "fields": ",".join(sorted(fields or ())), "until": _moment(until, now)}
        order = stores.orders.order(kind, event_id, actor=by(actor), reason=reason, details=details)
        await stores.orders.give(order)
        seen = await stores.orders.in_force(order, timeout)
        controls = (await stores.inbox.load(event_id, snapshot=False)).controls
        return ControlDocument(event_id, order.id, seen, freeze_rows(controls, stores.clock.now()))

    document, _ = in_session(load_settings(), give)
    if as_json:
        print_json(document)
    elif document.in_force:
        frozen = ", ".join(each.words for each in document.freezes)
        paragraph(out(), f"Frozen now: {frozen or 'nothing'}.")
    return _waited(document.in_force)


def _waited(seen: bool) -> Exit:  # noqa: FBT001 - a fact, no option
    if not seen:
        say("No running service has seen to it yet; it does as soon as one runs. Is `swoogo-sync run` running?")
    return Exit.OK if seen else Exit.UNAVAILABLE


def _moment(until: str, now: int) -> str:
    """Ms as text; "" for none. Raises ConfigurationError."""
    if not until:
        return ""
    try:
        if until[-1] in "smhd":
            return str(now + round(seconds_of(until) * 1000))
        found = datetime.fromisoformat(until)
        moment = round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except ValueError:
        raise ConfigurationError(
            f"--until is {plain(until)}: it is a moment such as 2026-09-28T09:00:00+01:00, or 90m, 12h, 2d from now."
        ) from None
    if moment <= now:
        raise ConfigurationError(f"--until is {plain(until)}, which is over.")
    return str(moment)
