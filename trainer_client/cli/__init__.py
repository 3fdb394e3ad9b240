"""The command `azr-trainer`; nothing here imports torch before a command needs it."""
