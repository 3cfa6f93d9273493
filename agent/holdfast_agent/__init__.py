"""The agent that runs on every Holdfast node: Python standard library only, Python 3.11 to 3.13."""
