"""People's work on flagged mentions: the queue, its views, what is done and undone."""
