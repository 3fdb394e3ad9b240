"""What the cache did; the names are those of the metrics."""

from dataclasses import dataclass


@dataclass
class CacheCounters:
    """Counts since the start; ``entries`` and ``bytes`` are as of now.

    The first four count runs, so that ``(hits + coalesced) / (hits + coalesced + misses)`` is the
    share of runs that was spared. Runs whose result cannot be kept, whatever comes of them (those
    that explain a disagreement), are not counted.
    """

    hits: int = 0
    """Runs answered from the store."""
    misses: int = 0
    """Runs that were carried out because the store had no answer."""
    coalesced: int = 0
    """Runs answered by an equal one that was under way."""
    confirmations: int = 0
    """Runs carried out beside a miss, to find out whether its result may be kept."""
    stored: int = 0
    """Results given to the store."""
    refused_nondeterministic: int = 0
    """Programs whose runs differed, so that nothing is kept of them."""
    evictions: int = 0
    """Results dropped to make room."""
    refused_full: int = 0
    """Results not written to Redis because it, or this process's share of it, is full enough."""
    store_errors: int = 0
    """Times that a store failed or gave back something odd; both are misses."""
    entries: int = 0
    """Results in this process's memory."""
    bytes: int = 0
    """Their size, with what it takes to keep them."""

    @property
    def hit_rate(self) -> float:
        """Return the share of runs that was spared, 0 where none was asked for."""
        spared = self.hits + self.coalesced
        return spared / (spared + self.misses) if spared else 0.0
