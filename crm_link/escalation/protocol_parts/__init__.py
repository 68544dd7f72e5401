"""The parts of a crisis protocol, its linter, its history and its editing."""
