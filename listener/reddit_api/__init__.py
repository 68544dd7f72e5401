"""How Reddit is reached and read, for the collector and the replier."""
