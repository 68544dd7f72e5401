"""The catalogues of the console's texts: one folder for each language."""
