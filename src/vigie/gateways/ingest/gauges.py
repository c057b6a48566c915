"""What Prometheus is told of the ingest, once a batch."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("vigie_ingest_messages_total", "Messages taken from the stream.", ["lane"])
READINGS = Counter("vigie_ingest_readings_total", "Readings stored in history.", ["lane"])
VALUES = Counter("vigie_ingest_values_total", "Values stored in history.", ["lane"])
BATCHES = Counter("vigie_ingest_batches_total", "Transactions committed.", ["lane"])
QUARANTINED = Counter("vigie_ingest_quarantined_total", "Readings and acks refused.", ["lane"])
DUPLICATES = Counter("vigie_ingest_duplicates_total", "Readings stored already.", ["lane"])
PARKED = Counter(
    "vigie_ingest_parked_total", "Messages over their client's share, stored later.", ["lane"]
)
LAG = Gauge("vigie_ingest_lag_seconds", "Age of the last message when it was stored.", ["lane"])
COMMIT = Histogram(
    "vigie_ingest_commit_seconds",
    "From taking a batch to its commit.",
    ["lane"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
