"""Learning: fp32 master weights, token-budget micro-batches, chunked log-probabilities, updates."""
