"""What an order was about, as `audit` and its page say it (U3)."""

from __future__ import annotations

import pytest

from consumer.domain.orders.order import GivenOrder, Order, OrderKind
from consumer.entrypoints.documents.audit import order_row

pytestmark = pytest.mark.rule("U3")


@pytest.mark.parametrize(
    ("kind", "details", "about"),
    [
        (OrderKind.FREEZE, {"kind": "", "fields": "", "until": "0"}, "the event"),
        (OrderKind.FREEZE, {"kind": "session", "fields": "date,name", "until": ""}, "date and name of sessions"),
        (OrderKind.FREEZE, {"kind": "speaker", "until": "1796000000000"}, "speakers until 2026-11-30T00:53:20+00:00"),
        (OrderKind.THAW, {"kind": "", "fields": ""}, "all freezes"),
        (OrderKind.THAW, {"kind": "session", "fields": ""}, "sessions"),
        (OrderKind.APPROVE, {"plan": "4f9a-02c7-881b", "operations": "a\nb"}, "plan 4f9a-02c7-881b"),
        (OrderKind.SYNC, {"scope": "all"}, ""),
        (OrderKind.SYNC, {"scope": "agenda"}, "agenda"),
        (OrderKind.RECONCILE, {"depth": "shallow"}, ""),
        (OrderKind.RECONCILE, {"depth": "deep"}, "deep"),
        (OrderKind.LIFT, {}, ""),
    ],
)
def test_an_order_says_what_it_is_about(kind: OrderKind, details: dict[str, str], about: str) -> None:
    assert order_row(GivenOrder(Order("o1", kind, "4001", details=details))).about == about
