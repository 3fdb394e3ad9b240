"""Tasks, roles and the records of self-play: the words every other module speaks."""
