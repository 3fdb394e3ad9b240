"""What a run tells while it goes: metrics, sampled rollouts, a live view, logs."""
