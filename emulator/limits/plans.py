"""The plans: every limit of the platform in one table, with its unit, its error and its source.

``free`` is the table of the guide that this project follows (2026-03: 10 ms CPU, 128 MB, 1 MB uncompressed,
100,000 requests a day, 100 Workers), completed by the platform's own pages. ``free-2026`` and ``paid`` are
those pages as of the day in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from emulator.wire.frames import Limits

PLANS: Final = ("free", "free-2026", "paid", "off")
"""The plans that have a name; ``off`` has no limits."""

DEFAULT_PLAN: Final = "free"

MIB: Final = 1_048_576
"""Bytes of the megabyte of an upload: wrangler prints KiB of 1,024 bytes, the platform's page says MiB."""

_CHECKED: Final = "2026-09-05"
_DOCS: Final = "https://developers.cloudflare.com/"
_WORKERS: Final = _DOCS + "workers/platform/limits/"
_KV: Final = _DOCS + "kv/platform/limits/"
_D1: Final = _DOCS + "d1/platform/limits/"
_DO: Final = _DOCS + "durable-objects/platform/pricing/"
_QUEUES: Final = _DOCS + "queues/platform/limits/"
_R2: Final = _DOCS + "r2/pricing/"


class Limit(NamedTuple):
    """One line of the table. A value of None: the plan has no such limit."""

    name: str
    """As a file of limits spells it; it ends in the unit where there is one."""
    what: str
    unit: str
    """What the values count; empty for plain numbers."""
    code: str
    """The platform's error when it is exceeded; empty when it has none of its own."""
    source: str
    """The page of the platform that states it."""
    free: float | None
    free_2026: float | None
    paid: float | None
    paid_most: float | None = None
    """How far ``limits`` of the wrangler file may raise the paid plan's value."""
    enforced: bool = False
    """Whether this release acts on it."""
    checked: str = _CHECKED
    """The day on which the numbers were compared with the source."""

    def of(self, plan: str) -> float | None:
        """The value in a plan with a name."""
        values = {"free": self.free, "free-2026": self.free_2026, "paid": self.paid}
        return values.get(plan)


def _same(
    name: str,
    what: str,
    unit: str,
    code: str,
    source: str,
    value: float,
    paid: float | None = -1,
    enforced: bool = False,
) -> Limit:
    """A limit that both free plans share, and the paid one too unless it is given."""
    paid = value if paid == -1 else paid
    return Limit(name, what, unit, code, source, value, value, paid, enforced=enforced)


LIMITS: Final = (
    Limit(
        "cpu_ms",
        "CPU time of a request",
        "ms",
        "1102",
        _WORKERS + "#cpu-time",
        10,
        10,
        30_000,
        300_000,
        enforced=True,
    ),
    _same("memory_mb", "memory of an isolate", "MB", "1102", _WORKERS + "#memory", 128, enforced=True),
    Limit(
        "size_mib",
        "size of the Worker, uncompressed",
        "MiB",
        "10027",
        _WORKERS + "#worker-size",
        1,
        64,
        64,
        enforced=True,
    ),
    _same("requests_per_day", "requests", "a day", "1027", _WORKERS + "#daily-requests", 100_000, None, True),
    Limit(
        "subrequests",
        "subrequests to the Internet",
        "a request",
        "Too many subrequests",
        _WORKERS + "#subrequests",
        50,
        50,
        10_000,
        10_000_000,
        enforced=True,
    ),
    _same(
        "service_subrequests",
        "subrequests to Cloudflare's services",
        "a request",
        "Too many subrequests",
        _WORKERS + "#subrequests",
        1_000,
        10_000,
    ),
    _same("connections", "connections waiting for headers", "", "", _WORKERS, 6, enforced=True),
    _same(
        "startup_cpu_ms",
        "CPU time of the start",
        "ms",
        "10021",
        _WORKERS + "#worker-startup-time",
        1_000,
        enforced=True,
    ),
    _same(
        "startup_memory_mb", "memory of the start", "MB", "10021", _WORKERS + "#memory", 128, enforced=True
    ),
    _same(
        "variables",
        "variables and secrets",
        "",
        "10055",
        _WORKERS + "#environment-variables",
        64,
        128,
        enforced=True,
    ),
    _same(
        "variable_kb",
        "size of a variable",
        "KB",
        "10054",
        _WORKERS + "#environment-variables",
        5,
        enforced=True,
    ),
    _same(
        "url_kb", "length of a URL", "KB", "", _WORKERS + "#request-and-response-limits", 16, enforced=True
    ),
    _same(
        "request_headers_kb",
        "request headers",
        "KB",
        "",
        _WORKERS + "#request-and-response-limits",
        128,
        enforced=True,
    ),
    _same(
        "request_body_mb",
        "request body",
        "MB",
        "413",
        _WORKERS + "#request-and-response-limits",
        100,
        enforced=True,
    ),
    _same(
        "response_headers_kb",
        "response headers",
        "KB",
        "",
        _WORKERS + "#request-and-response-limits",
        128,
        enforced=True,
    ),
    _same("log_kb", "console output of a request", "KB", "", _WORKERS + "#log-size", 256, enforced=True),
    _same("wait_until_s", "waitUntil after the response", "s", "", _WORKERS + "#duration", 30, enforced=True),
    _same("event_wall_s", "duration of a cron, queue or alarm event", "s", "", _WORKERS + "#duration", 900),
    _same("worker_loop", "a Worker that calls itself, depth", "", "1019", _WORKERS, 16, enforced=True),
    _same("workers", "Workers", "", "10037", _WORKERS + "#number-of-workers", 100, 500, enforced=True),
    _same("crons", "cron triggers", "", "10037", _WORKERS, 5, 250, enforced=True),
    _same(
        "cache_calls", "calls of the Cache API", "a request", "", _WORKERS + "#cache-api-limits", 50, 1_000
    ),
    _same("cache_object_mb", "object in the cache", "MB", "", _WORKERS + "#cache-api-limits", 512),
    _same("asset_files", "static assets", "files", "", _WORKERS + "#static-assets", 20_000, 100_000),
    _same("asset_mib", "size of a static asset", "MiB", "", _WORKERS + "#static-assets", 25),
    _same("asset_header_rules", "rules in _headers", "", "", _WORKERS + "#static-assets", 100),
    _same("asset_header_chars", "line of _headers", "characters", "", _WORKERS + "#static-assets", 2_000),
    _same("asset_redirects", "static rules in _redirects", "", "", _WORKERS + "#static-assets", 2_000),
    _same("asset_redirects_dynamic", "dynamic rules in _redirects", "", "", _WORKERS + "#static-assets", 100),
    _same("asset_redirect_chars", "line of _redirects", "characters", "", _WORKERS + "#static-assets", 1_000),
    _same("kv_reads_per_day", "KV reads", "a day", "KV get() limit exceeded", _KV, 100_000, None),
    _same("kv_writes_per_day", "KV writes", "a day", "KV put() limit exceeded", _KV, 1_000, None),
    _same("kv_deletes_per_day", "KV deletes", "a day", "", _KV, 1_000, None),
    _same("kv_lists_per_day", "KV lists", "a day", "", _KV, 1_000, None),
    _same("kv_storage_gb", "KV storage", "GB", "", _KV, 1, None),
    _same("kv_key_writes_per_s", "KV writes to one key", "a second", "", _KV, 1),
    _same("d1_rows_read_per_day", "D1 rows read", "a day", "D1_ERROR", _D1, 5_000_000, None),
    _same("d1_rows_written_per_day", "D1 rows written", "a day", "D1_ERROR", _D1, 100_000, None),
    _same("d1_database_mb", "size of a D1 database", "MB", "", _D1, 500, 10_000),
    _same("d1_databases", "D1 databases", "", "", _D1, 10, 50_000),
    _same("d1_storage_gb", "D1 storage", "GB", "", _D1, 5, 1_000),
    _same("d1_queries", "D1 queries", "a request", "", _D1, 50, 1_000),
    _same("d1_sql_kb", "length of a D1 statement", "KB", "", _D1, 100),
    _same("d1_parameters", "parameters of a D1 statement", "", "", _D1, 100),
    _same("d1_columns", "columns of a D1 table", "", "", _D1, 100),
    _same("d1_row_mb", "D1 row or value", "MB", "", _D1, 2),
    _same("d1_like_bytes", "D1 LIKE or GLOB pattern", "bytes", "", _D1, 50),
    _same("do_requests_per_day", "Durable Objects requests", "a day", "free tier", _DO, 100_000, None),
    _same("do_gb_s_per_day", "Durable Objects duration", "GB-s a day", "free tier", _DO, 13_000, None),
    _same("do_rows_read_per_day", "Durable Objects rows read", "a day", "free tier", _DO, 5_000_000, None),
    _same(
        "do_rows_written_per_day", "Durable Objects rows written", "a day", "free tier", _DO, 100_000, None
    ),
    _same("do_storage_gb", "Durable Objects storage", "GB", "", _DO, 5, None),
    _same("queue_operations_per_day", "Queues operations", "a day", "", _QUEUES, 10_000, None),
    _same("queue_retention_h", "retention of a message", "hours", "", _QUEUES, 24, 336),
    _same("queue_message_kb", "size of a message", "KB", "", _QUEUES, 128),
    _same("queue_batch", "messages in a batch", "", "", _QUEUES, 100),
    _same("r2_storage_gb", "R2 storage", "GB a month", "", _R2, 10, None),
    _same("r2_class_a_per_month", "R2 class A operations", "a month", "", _R2, 1_000_000, None),
    _same("r2_class_b_per_month", "R2 class B operations", "a month", "", _R2, 10_000_000, None),
)
"""https://developers.cloudflare.com/workers/platform/limits/ and the pages of the products."""


@dataclass(frozen=True)
class Plan:
    """A set of limits that is in force for one Worker."""

    name: str
    """The plan's own name, or the file that changes its numbers."""
    base: str
    """Which of ``PLANS`` it is made from."""
    values: Mapping[str, float | None]
    """The value of each limit by its name; None: there is none."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """Limits whose value is not the base plan's, and the file that says so."""
    files: tuple[Path, ...] = ()
    """The files that were read for it."""

    @property
    def size_bytes(self) -> int:
        """Bytes that the upload may have; 0: any number."""
        value = self.values["size_mib"]
        return 0 if value is None else max(1, int(value * MIB))

    def for_isolate(self, flexible: bool = False, cpu_scale: float = 1.0) -> Limits:
        """What the isolate of a Worker has to know of it."""
        names = set(Limits.__struct_fields__) & self.values.keys()
        numbers: dict[str, Any] = {name: self.values[name] or 0 for name in names}
        return Limits(
            plan=self.name, size_bytes=self.size_bytes, flexible=flexible, cpu_scale=cpu_scale, **numbers
        )

    @property
    def counts_provided_packages(self) -> bool:
        """Whether packages that the runtime would provide by itself count as part of the upload."""
        return self.base != "free"


def plan_named(name: str) -> Plan:
    """One of ``PLANS``. Raises ``KeyError`` for another name."""
    if name not in PLANS:
        raise KeyError(name)
    return Plan(name, name, {limit.name: limit.of(name) for limit in LIMITS})


def shown(limit: Limit, value: float | None) -> str:
    """A value with its unit, as people write it: ``10 ms``, ``100,000 a day``, ``no limit``."""
    if value is None:
        return "no limit"
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"
    return f"{number} {limit.unit}".rstrip()
