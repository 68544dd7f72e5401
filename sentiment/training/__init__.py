"""How the bundled sentiment models were made: one command for each step, seeds fixed.

`python -m sentiment.training --help` lists the steps. Needs the packages in `requirements.txt`
of this folder (torch among them), which the shipped models do not.
"""
