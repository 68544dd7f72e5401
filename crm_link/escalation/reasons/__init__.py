"""Why an incident was raised."""
