"""Reports a credential in use that stops working: once, however many pushes fail because of it (C3)."""

from __future__ import annotations

from consumer.domain.connections.connection import Announcement, Connection, RejectionCode
from consumer.domain.errors import CredentialError, SwoogoSyncError
from consumer.ports import Connections, StatusBoard


async def report_credential_status(
    connections: Connections,
    board: StatusBoard,
    connection: Connection,
    error: SwoogoSyncError | None,
    *,
    op_id: str,
    failed_before: bool,
) -> None:
    """Report that Swoogo refuses the credential, or note that it works again.

    The refusal is claimed first and confirmed once it is on the status topic. A process that dies in between, or loses
    a reply of Redis, leaves a claim that ends by itself: the next push that fails reports it.

    `connections`: knows what is in use, and what has been reported. `failed_before`: whether the push before this one
    failed, so that a refusal may be on record.

    Raises:
        UnavailableError: it could not be reported; the next push that fails reports it.
    """
    if not isinstance(error, CredentialError):
        if failed_before and error is None:
            await connections.forget_refusal(connection.org_id)
        return
    current = await connections.connection(connection.org_id)
    if current is None or current.credential != connection.credential:
        return  # replaced or disconnected while the push was under way
    if await connections.claim_refusal_report(connection.org_id, connection.credential, op_id):
        try:
            code = RejectionCode.CREDENTIALS_REFUSED.value
            await board.announce(Announcement("integration.rejected", connection.org_id, str(error), code))
        except SwoogoSyncError:
            await connections.forget_refusal(connection.org_id)
            raise
        await connections.confirm_refusal_report(connection.org_id, connection.credential, op_id)
