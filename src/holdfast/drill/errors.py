"""What can go wrong around a drill, said in sentences a user can act on."""

from __future__ import annotations


class DrillError(Exception):
    """The driver could not do its work; says nothing about the cluster. Exit code 2."""


class Refused(DrillError):
    """The drill must not run here, or not now; the message says what to do."""


class HostUnreachable(DrillError):
    """A host did not answer; often that is exactly what a fault is for."""
