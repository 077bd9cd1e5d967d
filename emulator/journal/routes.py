"""What each route costs: requests by method and path, with CPU time, memory and subrequests.

Bounded in memory, however many paths and requests there are. CPU times go into buckets that are 2% wide, so
that quantiles are exact to 1%; counts and maxima are exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from emulator.journal.events import JournalEvent, RequestFinished

OTHER: Final = "other routes"
"""Where requests are counted that come after ``_MOST_ROUTES``."""

_MOST_ROUTES: Final = 1_000
_MOST_SIBLINGS: Final = 100
"""Names in one place of a path, from which on they are taken for values, such as titles of articles."""
_MOST_SEGMENTS: Final = 12
_LONGEST_SEGMENT: Final = 60
_CACHED_PATHS: Final = 4_096

_WIDTH: Final = math.log(1.02)

# Numbers, dates and versions; UUIDs; hexadecimal digits; long mixes of letters and digits (ULIDs, tokens).
_ID: Final = re.compile(
    r"[+-]?\d[\d.,:_-]*"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?=[^0-9]*[0-9])[0-9a-fA-F]{8,}"
    r"|(?=[^0-9]*[0-9])(?=[^a-zA-Z]*[a-zA-Z])[\w-]{20,}",
    re.ASCII,
)


class Quantiles:
    """How often which CPU time was seen, in microseconds."""

    __slots__ = ("_buckets", "count", "greatest")

    def __init__(self) -> None:
        self.count = 0
        self.greatest = 0
        """Microseconds."""
        self._buckets: dict[int, int] = {}

    def add(self, microseconds: int) -> None:
        """Count one more."""
        value = max(microseconds, 0)
        self.count += 1
        self.greatest = max(self.greatest, value)
        bucket = int(math.log(value) / _WIDTH) if value > 1 else 0
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def merge(self, other: Quantiles) -> None:
        """Count all that ``other`` has counted."""
        self.count += other.count
        self.greatest = max(self.greatest, other.greatest)
        for bucket, count in other._buckets.items():
            self._buckets[bucket] = self._buckets.get(bucket, 0) + count

    def at(self, share: float) -> float:
        """Microseconds that a share (0 to 1) of the requests needed at most; 0 when there were none."""
        rank, seen = max(math.ceil(self.count * share), 1), 0
        if rank >= self.count:
            return float(self.greatest)
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(math.exp((bucket + 0.5) * _WIDTH) if bucket else 1.0, float(self.greatest))
        return 0.0


class Route:
    """What the requests of one route needed."""

    __slots__ = ("count", "cpu", "exceeded", "memory_bytes", "over", "subrequests")

    def __init__(self) -> None:
        self.count = 0
        self.cpu = Quantiles()
        self.over = 0
        """Requests that needed more CPU than the budget, cut ones included."""
        self.exceeded: dict[str, int] = {}
        """Requests that were answered with a limit, by its name."""
        self.memory_bytes = 0
        self.subrequests = 0
        """The most that one request sent."""

    def add(self, event: RequestFinished, budget_us: float) -> None:
        """Count a request; ``budget_us`` is the CPU time that one may need, 0 for any."""
        self.count += 1
        if event.cpu_us is not None:
            self.cpu.add(event.cpu_us)
        if event.limit == "cpu" or (event.cpu_us or 0) > budget_us > 0:
            self.over += 1
        if event.limit:
            self.exceeded[event.limit] = self.exceeded.get(event.limit, 0) + 1
        self.memory_bytes = max(self.memory_bytes, event.memory_bytes)
        self.subrequests = max(self.subrequests, event.subrequests)

    def merge(self, other: Route) -> None:
        """Count all that ``other`` has counted."""
        self.count += other.count
        self.cpu.merge(other.cpu)
        self.over += other.over
        for limit, count in other.exceeded.items():
            self.exceeded[limit] = self.exceeded.get(limit, 0) + count
        self.memory_bytes = max(self.memory_bytes, other.memory_bytes)
        self.subrequests = max(self.subrequests, other.subrequests)


class Row(NamedTuple):
    """One route of a Worker."""

    worker: str
    method: str
    path: str
    """The pattern, such as ``/users/:id``; ``OTHER`` for what was too much to be told apart."""
    route: Route


class RouteTable:
    """A ``Journal`` that counts requests by route.

    ``budgets`` are the microseconds of CPU that a request of each Worker may need, 0 for any; who made them
    may change them at any time.
    """

    def __init__(self, budgets: Mapping[str, float]) -> None:
        self._budgets = budgets
        self._trees: dict[tuple[str, str], _Node] = {}
        self._known: dict[tuple[str, str, str], Route] = {}
        self._routes = 0

    def __call__(self, event: JournalEvent) -> None:
        """Count ``event`` when it is a request that is over."""
        if not isinstance(event, RequestFinished):
            return
        key = (event.worker, event.method, event.path)
        route = self._known.get(key)
        if route is None:
            route = self._find(*key)
            if len(self._known) >= _CACHED_PATHS:
                self._known.clear()
            self._known[key] = route
        route.add(event, self._budgets.get(event.worker, 0))

    def rows(self) -> Iterator[Row]:
        """All routes, in no particular order."""
        for (worker, method), tree in self._trees.items():
            for path, route in tree.routes(""):
                yield Row(worker, method, path or OTHER, route)

    def _find(self, worker: str, method: str, path: str) -> Route:
        tree = self._trees.get((worker, method))
        if tree is None:
            # Methods are the client's to choose, too.
            if len(self._trees) >= _MOST_ROUTES:
                method = "*"
            tree = self._trees.setdefault((worker, method), _Node())
        if self._routes < _MOST_ROUTES:
            node = tree
            for segment in _segments(path):
                node = self._enter(node, segment)
        else:
            node = tree.existing(_segments(path)) or tree
        if node.route is None:
            node.route = Route()
            self._routes += 1
        return node.route

    def _enter(self, node: _Node, segment: str) -> _Node:
        if segment in node.children:
            return node.children[segment]
        if _NAME in node.children and segment != _NUMBER:
            return node.children[_NAME]
        child = node.children[segment] = _Node()
        if len(node.children) > _MOST_SIBLINGS:
            self._routes -= node.take_names_for_values()
            self._known.clear()
            return node.children[segment if segment == _NUMBER else _NAME]
        return child


_NUMBER: Final = ":id"
_NAME: Final = ":name"


class _Node:
    """A place in the tree of the paths' segments."""

    __slots__ = ("children", "route")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.route: Route | None = None

    def existing(self, segments: list[str]) -> _Node | None:
        """The node below this one at a path, when its route has been counted before."""
        node: _Node = self
        for segment in segments:
            below = node.children.get(segment) or node.children.get(_NAME)
            if below is None:
                return None
            node = below
        return node if node.route is not None else None

    def routes(self, path: str) -> Iterator[tuple[str, Route]]:
        """The routes at and below this node with their paths."""
        if self.route is not None:
            yield path, self.route
        for segment, child in self.children.items():
            yield from child.routes(f"{path}/{segment}")

    def take_names_for_values(self) -> int:
        """Make one child of all but that of the ids; gives how many routes fewer there are."""
        merged, numbers, before = _Node(), self.children.pop(_NUMBER, None), 0
        for child in self.children.values():
            before += sum(1 for _ in child.routes(""))
            merged.merge(child)
        self.children = {_NAME: merged}
        if numbers is not None:
            self.children[_NUMBER] = numbers
        return before - sum(1 for _ in merged.routes(""))

    def merge(self, other: _Node) -> None:
        """Take over all that is counted at and below ``other``."""
        if other.route is not None:
            self.route = self.route or Route()
            self.route.merge(other.route)
        for segment, child in other.children.items():
            self.children.setdefault(segment, _Node()).merge(child)


def _segments(path: str) -> list[str]:
    """The parts of a pathname, values among them by the name ``:id``."""
    parts = path.removeprefix("/").split("/", _MOST_SEGMENTS)
    if len(parts) > _MOST_SEGMENTS:
        parts[-1] = "…"
    return [_segment(part) for part in parts]


def _segment(part: str) -> str:
    # A percent-encoded character has up to 12 characters for one.
    text = unquote(part, errors="replace") if "%" in part else part
    if len(text) > _LONGEST_SEGMENT or _ID.fullmatch(text):
        return _NUMBER
    return text if text.isprintable() and "/" not in text and "\ufffd" not in text else part
