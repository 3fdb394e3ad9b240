"""A self-play trainer that learns from a verifier's verdicts, over HTTP alone."""
