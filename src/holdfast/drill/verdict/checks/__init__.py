"""Checks: each a pure function from a history to a result.

A check that has nothing to look at answers UNKNOWN and says what is missing.
"""
