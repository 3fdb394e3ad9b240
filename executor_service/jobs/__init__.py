"""Jobs: thousands of operations that nobody waits for at the other end of a connection."""
