"""The numbers of the brand board."""
