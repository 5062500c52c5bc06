"""What orders come to, and how they are kept (U3)."""

from __future__ import annotations

import pytest

from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.orders.order import Order, OrderKind, commands_of, one_line, request_of
from consumer.domain.planning.request import SyncRequest

pytestmark = pytest.mark.rule("U3")


def test_every_kind_has_words() -> None:
    assert all(kind.words for kind in OrderKind)


@pytest.mark.parametrize(
    ("order", "commands"),
    [
        (Order("o", OrderKind.LIFT, keys=("session/a", "session/b")), ["lift 0 session/a", "lift 0 session/b"]),
        (Order("o", OrderKind.ADOPT, keys=("session/a",), details={"swoogo_id": "7"}), ["adopt 7 session/a"]),
        (Order("o", OrderKind.FORGET, keys=("session/a",)), ["forget 0 session/a"]),
        (Order("o", OrderKind.RETRY, keys=("session/a#image",)), ["retry 0 session/a#image"]),
        (
            Order("o", OrderKind.REMOVE, reason="gone", keys=("track/a#removal",), details={"track/a#removal": "7"}),
            ["retry 7 track/a#removal\tgone"],
        ),
        (
            Order("o", OrderKind.VOID, "ev", reason="by mistake", details={"swoogo_event_id": "9"}),
            ["void 9 pair/ev\tby mistake"],
        ),
        (Order("o", OrderKind.SYNC, keys=("session/a",)), []),
        (Order("o", OrderKind.FREEZE), []),
    ],
    ids=lambda each: each.kind.value if isinstance(each, Order) else "",
)
def test_an_order_asks_for_commands(order: Order, commands: list[str]) -> None:
    assert [str(each) for each in commands_of(order)] == commands


def test_a_lift_has_no_reason_in_its_command() -> None:
    """Two lifts of one record for two reasons are one."""
    order = Order("o", OrderKind.LIFT, reason="why", keys=("session/a",))
    assert commands_of(order) == (LedgerCommand(Action.LIFT, "session/a"),)


@pytest.mark.rule("R6")
def test_a_sync_of_some_records() -> None:
    order = Order("o", OrderKind.SYNC, "ev", keys=("speaker/c", "session/a"), details={"scope": "agenda"})
    assert request_of(order) == SyncRequest("o", "agenda", ("a",), ("c",))


@pytest.mark.rule("Y3")
def test_a_reason_is_one_bounded_line_without_addresses() -> None:
    assert one_line("  asked\nby ada@example.org\u202e ") == "asked by a***@example.org"
    assert len(one_line("x" * 1_000)) == 200


@pytest.mark.parametrize(
    ("keys", "concerned"), [(("session/a#image",), True), (("session/ab",), False), ((), False)], ids=str
)
def test_an_order_concerns_the_records_it_names(keys: tuple[str, ...], *, concerned: bool) -> None:
    assert Order("o", OrderKind.RETRY, keys=keys).concerns("session/a") is concerned
