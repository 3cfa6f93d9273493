"""From a recorded history to PASS, FAIL or UNKNOWN.

``result``   the three values and how they combine
``history``  what was recorded, frozen, on one time axis
``outage``   how long clients saw no success
``checks``   pure functions from a history to a result; one file per subject
``judge``    runs them all; what crashes or has nothing to look at is UNKNOWN, never green
``load``     the evidence folder as a history
``write``    verdict.json, JUnit XML, Markdown
"""
