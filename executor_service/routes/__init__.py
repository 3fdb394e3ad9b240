"""The HTTP endpoints, one module per group; thin: parse, hand to the dispatcher, answer."""
