"""Real attacks on the verifier, by the numbers of the project's list of attack classes."""
