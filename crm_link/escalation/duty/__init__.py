"""Who is on call and when, and whether we could act now."""
