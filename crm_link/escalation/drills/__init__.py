"""Drills: what they replay, how they are kept apart, how they are scored."""
