"""The contract with Sessionboard: what travels on Kafka, as typed models.

    topics, keys          where a record travels and under which key
    wire, envelope        value types and the envelope that all changes share
    session, contact,     what Sessionboard publishes
    sponsor, mapping
    status, ledger,       what this service publishes
    dead_letter
    reading, rejection    from bytes to a change, or to a reason and one sentence
    generate              JSON Schemas and AsyncAPI beside the models (`python -m schemas.generate`)

Depends on pydantic and the standard library alone, so that a publisher can take it as it is.
"""

from __future__ import annotations

from schemas.rejection import Rejection, first_error, rejection

__all__ = ["Rejection", "first_error", "rejection"]
