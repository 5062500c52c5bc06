"""What the tests of writes share."""

from __future__ import annotations

SPEAKER = {"event_id": 12, "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
