"""Structured logs: one line an event, with the request id that ties them together."""

import logging
import sys
from collections.abc import Iterable
from typing import Any, cast

import structlog

# Characters of one value; of a traceback; items of one list.
_LONGEST, _LONGEST_TRACE, _MOST_ITEMS = 2_000, 30_000, 50


def configure(level: str = "info", form: str = "json", **bound: Any) -> None:
    """Log to standard output; `bound` (role, instance) is on every line of this process."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(),
            # Plain: the pretty one prints local variables, and some are secrets.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        bounded,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**bound)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(getattr(logging, level.upper()))
    for noisy in ("alembic", "uvicorn.access", "nats", "httpx", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def bounded(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """A processor: nothing that somebody sends enters the log whole when it is long."""
    return {
        key: _cut(value, _LONGEST_TRACE if key in ("exception", "stack") else _LONGEST)
        for key, value in event.items()
    }


def _cut(value: Any, longest: int, depth: int = 3) -> Any:
    """The value when it is short; else its beginning and how long it was."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict | list | tuple | set | frozenset) and depth:
        items = list(cast("Iterable[Any]", value))
        kept, left = items[:_MOST_ITEMS], len(items) - _MOST_ITEMS
        each = max(longest // _MOST_ITEMS, 40)
        if isinstance(value, dict):
            found = cast("dict[Any, Any]", value)
            shown = {str(_cut(key, each, 0)): _cut(found[key], each, depth - 1) for key in kept}
            return shown | ({"…": f"{left} more"} if left > 0 else {})
        shown = [_cut(item, each, depth - 1) for item in kept]
        return [*shown, f"… {left} more"] if left > 0 else shown
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


def logger(name: str) -> Any:
    """A logger; call it `log.info("event_name", key=value)`."""
    return structlog.get_logger(source=name)
