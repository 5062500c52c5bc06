"""Metrics of recording: how far the consumers are, and what came of the records."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import Metric

_TOPIC: Final = {"topic": "an input topic"}

CONSUMER_LAG: Final = Metric(
    "consumer_lag_records",
    "records",
    "Records of a topic behind the committed offsets of the consumer group.",
    "Growing: look at /livez of each replica, then at record_batches_total and at Redis.",
    _TOPIC,
    scope="all",
)
HELD_BACK: Final = Metric(
    "consumer_held_back_records",
    "records",
    "Records of a topic that cannot be read yet: they lie after the start of a producer's open transaction.",
    "Look at consumer_held_back_seconds.",
    _TOPIC,
    scope="all",
)
HELD_BACK_SECONDS: Final = Metric(
    "consumer_held_back_seconds",
    "seconds",
    "How long the same open transaction has held records of a topic back; as long as this process has seen it.",
    "More than 15 minutes, the broker's transaction.max.timeout.ms: the transaction hangs; see the runbook.",
    _TOPIC,
    scope="all",
)
RECORDS: Final = Metric(
    "records_total",
    "records",
    "Records read from Kafka: news, known (old, or superseded in its batch), ignored (not for this service), dead.",
    "Dead ones: see dead_letters_total.",
    {**_TOPIC, "result": "news, known, ignored or dead"},
)
RECORD_BATCHES: Final = Metric(
    "record_batches_total",
    "batches",
    "Batches from Kafka: recorded, or failed and read again.",
    "Failures: the log line record.waiting or record.broken says why; most often Redis does not answer.",
    {**_TOPIC, "outcome": "recorded or failed"},
)
DEAD_LETTERS: Final = Metric(
    "dead_letters_total",
    "records",
    "Undecodable records, sent to the dead-letter topic.",
    "Read them there; headers say where they came from and why. Tell the publisher of the topic.",
    {**_TOPIC, "reason": "code of the reason, see for-publishers.md"},
)
OPEN_LETTERS: Final = Metric(
    "dead_letters_open",
    "records",
    "Dead letters that were neither replayed nor discarded, whichever process wrote them and however long ago.",
    "`swoogo-sync dlq list` says what each needs; what they hold is not in Swoogo.",
    _TOPIC,
    scope="all",
)
