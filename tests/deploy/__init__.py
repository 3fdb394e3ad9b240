"""The recipes by which the parts are brought to machines."""
