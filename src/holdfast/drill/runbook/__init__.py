"""Runbooks: drills as data.

``located``    YAML with the line of every key
``schema``     a small vocabulary of types; every problem of a file is found in one pass
``shape``      the shape of a runbook, written in that vocabulary (the reference page comes from it)
``faults``     the catalogue of fault kinds: what may be asked for, where, with which parameters
``model``      the frozen result
``parse``      text in, runbook or problems out
``catalogue``  the folder of runbooks, by name and by the names other products use
``reference``  docs/runbook_schema.md
"""
