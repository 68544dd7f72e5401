"""Erasing a person everywhere, with receipts, and telling a person what is held about them."""
