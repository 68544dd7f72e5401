"""What the JSON API takes and gives. Every time is UTC; every list is a page."""
