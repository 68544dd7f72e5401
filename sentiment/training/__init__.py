"""How the bundled sentiment models were made: one command for each step, seeds fixed.

`python -m sentiment.training --help` lists the steps. Needs the packages in `requirements.txt`
of this folder (torch among them), which the shipped models do not.
"""

import os

# Threads that spin while they wait take the time of whatever else runs on the machine: beside
# other work a step of training takes three times as long. To be set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
