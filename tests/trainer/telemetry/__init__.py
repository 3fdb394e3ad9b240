"""What a run tells: metrics, rollouts, logs, the live view."""
