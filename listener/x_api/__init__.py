"""How X is reached and read, for the collector and the replier."""
