"""Holdfast, controller side: the command line, the lab, drills, probe and report."""

__version__ = "0.1.0"  # the collection's, galaxy.yml
