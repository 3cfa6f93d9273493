"""Holdfast, controller side: the command line, the lab, drills, probe and report."""
