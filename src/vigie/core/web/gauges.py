"""The figures of the web, in the process's own metrics registry (see vigie.core.metrics)."""

from prometheus_client import Counter, Gauge, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUESTS = Counter(
    "vigie_http_requests", "Requests answered, by route and status.", ["method", "route", "status"]
)
LATENCY = Histogram(
    "vigie_http_request_seconds",
    "Time from a request's first byte to its answer's last.",
    ["method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
SOCKETS = Gauge("vigie_websockets", "WebSockets open now.")
CONNECTIONS = Gauge("vigie_http_connections", "HTTP connections open now, live screens included.")
TURNED_AWAY = Counter(
    "vigie_http_turned_away", "Connections refused or cut off at the door, by reason.", ["reason"]
)
