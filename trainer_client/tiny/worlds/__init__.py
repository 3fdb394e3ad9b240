"""Worlds that the demos' models learn in: what programs there are, and what is drawn from them."""
