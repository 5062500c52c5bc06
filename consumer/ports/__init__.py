"""The seam: what the services need from the world, in domain words, one module a neighbour.

Each port has a fake in `tests/support/fakes` and one contract suite that runs on fake and real alike.
"""

from consumer.domain.planning.request import Asked, SyncRequest
from consumer.domain.push.claim import EventState, Lease, Subject, event_subject, org_subject
from consumer.ports.clock import Clock
from consumer.ports.connections import Connections, CredentialCheck
from consumer.ports.images import Images, Picture, Unchanged
from consumer.ports.inbox import Change, Due, DueSubject, Inbox, Requested
from consumer.ports.ledger import LedgerStore, PairRegister, StateLog
from consumer.ports.status import StatusBoard
from consumer.ports.swoogo import Budget, Circuits, Grant, Swoogo, TokenStore, Work, Written
from consumer.ports.topics import (
    Chunk,
    DeadLetter,
    DeadLetters,
    Decoder,
    DeletionLog,
    History,
    Peeked,
    RawRecord,
    Span,
    Start,
)

__all__ = [
    "Asked",
    "Budget",
    "Change",
    "Chunk",
    "Circuits",
    "Clock",
    "Connections",
    "CredentialCheck",
    "DeadLetter",
    "DeadLetters",
    "Decoder",
    "DeletionLog",
    "Due",
    "DueSubject",
    "EventState",
    "Grant",
    "History",
    "Images",
    "Inbox",
    "Lease",
    "LedgerStore",
    "PairRegister",
    "Peeked",
    "Picture",
    "RawRecord",
    "Requested",
    "Span",
    "Start",
    "StateLog",
    "StatusBoard",
    "Subject",
    "Swoogo",
    "SyncRequest",
    "TokenStore",
    "Unchanged",
    "Work",
    "Written",
    "event_subject",
    "org_subject",
]
