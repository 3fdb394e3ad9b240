"""Jobs: their stores, their runner, and what survives which crash."""
