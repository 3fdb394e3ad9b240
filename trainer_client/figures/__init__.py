"""The self-play paper's seven figures on the demo's model, from nothing, on a CPU."""
