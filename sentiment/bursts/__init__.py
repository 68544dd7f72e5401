"""The burst detectors: counts, expectations, budgets of false alarms, and their stored state."""
