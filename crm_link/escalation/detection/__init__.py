"""What raises an incident and moves its severity, and what watches the watchers."""
