"""A store in memory that removes its oldest values at its limits."""

from collections import OrderedDict

MAX_BYTES = 64 * 1024 * 1024


class BoundedStore[Value]:
    """Stores the newest values, up to a number of values and a total weight."""

    def __init__(self, max_count: int, max_weight: int = MAX_BYTES) -> None:
        self._values: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self._max_count, self._max_weight, self._weight = max_count, max_weight, 0

    def put(self, id: str, value: Value, weight: int = 0) -> list[str]:
        """Stores a value, and returns the ids of those that had to be removed for it."""
        self.remove(id)
        self._values[id] = (value, weight)
        self._weight += weight
        removed = []
        while len(self._values) > self._max_count or self._weight > self._max_weight:
            removed.append(next(iter(self._values)))
            self.remove(removed[-1])
        return removed

    def get(self, id: str) -> Value | None:
        return self._values[id][0] if id in self._values else None

    def remove(self, id: str) -> Value | None:
        """Removes and returns a value, if it is stored."""
        value, weight = self._values.pop(id, (None, 0))
        self._weight -= weight
        return value

    def values(self) -> list[Value]:
        """Returns the values, oldest first."""
        return [value for value, _ in self._values.values()]

    def __len__(self) -> int:
        return len(self._values)
