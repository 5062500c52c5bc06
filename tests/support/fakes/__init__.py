"""A fake of every port: in memory, on a clock the test owns, held to the contract by `tests/contract`."""

from tests.support.fakes.budget import InMemoryBudget
from tests.support.fakes.circuits import InMemoryCircuits
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.connections import FakeCredentials, InMemoryConnections
from tests.support.fakes.images import FakeImages
from tests.support.fakes.inbox import InMemoryInbox
from tests.support.fakes.ledger import InMemoryLedger
from tests.support.fakes.pairs import InMemoryPairs
from tests.support.fakes.status import InMemoryDeadLetters, InMemoryStatusBoard
from tests.support.fakes.swoogo import FakeSwoogo
from tests.support.fakes.tokens import InMemoryTokens

__all__ = [
    "FakeClock",
    "FakeCredentials",
    "FakeImages",
    "FakeSwoogo",
    "InMemoryBudget",
    "InMemoryCircuits",
    "InMemoryConnections",
    "InMemoryDeadLetters",
    "InMemoryInbox",
    "InMemoryLedger",
    "InMemoryPairs",
    "InMemoryStatusBoard",
    "InMemoryTokens",
]
