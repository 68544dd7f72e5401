"""The parts of a brand query: grammar, checks, matching, and compiling for platforms."""
