"""Real processes that are killed, frozen and cut off while they work."""
