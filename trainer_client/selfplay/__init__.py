"""Self-play: one model proposes tasks, solves them, and learns from the verifier's verdicts."""
