"""Matching authors to contacts: keys, evidence, weights, and the links that come of them."""
