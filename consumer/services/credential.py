"""A credential in use that stops working: told once, however many pushes fail of it (C3)."""

from __future__ import annotations

from consumer.domain.connection import Announcement, Connection, RejectionCode
from consumer.domain.errors import CredentialError, SwoogoSyncError
from consumer.ports import Connections, StatusBoard


async def tell_of_credential(
    connections: Connections,
    board: StatusBoard,
    connection: Connection,
    error: SwoogoSyncError | None,
    *,
    failed_before: bool,
) -> None:
    """Tell that a credential is refused, or note that it works again.

    Args:
        connections: knows what is in use, and what has been told.
        board: tells.
        connection: with which a push was made.
        error: what ended the push.
        failed_before: whether the push before this one failed: whoever noted a refusal tries again until it is over.

    Raises:
        UnavailableError: it could not be told; the next push that fails tells it.
    """
    if not isinstance(error, CredentialError):
        if failed_before and error is None:
            await connections.forget_refusal(connection.org_id)
        return
    current = await connections.connection(connection.org_id)
    if current is None or current.credential != connection.credential:
        return  # replaced or disconnected while the push was under way
    if await connections.note_refusal(connection.org_id, connection.credential):
        try:
            code = RejectionCode.CREDENTIALS_REFUSED.value
            await board.announce(Announcement("integration.rejected", connection.org_id, str(error), code))
        except SwoogoSyncError:
            await connections.forget_refusal(connection.org_id)
            raise
