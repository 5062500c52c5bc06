"""What the tests of forms share."""

from __future__ import annotations

from consumer.adapters.swoogo.wire import RESOURCES
from consumer.domain.records.identity import Kind

SESSION, SPEAKER = RESOURCES[Kind.SESSION], RESOURCES[Kind.SPEAKER]
