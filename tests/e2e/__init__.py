"""The whole stack, as docker-compose.yml starts it."""
