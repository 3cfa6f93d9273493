"""The agent's own errors: each carries data, none carries a way to print itself."""

from __future__ import annotations


class HoldfastError(Exception):
    """Base of everything the agent raises on purpose; a bug keeps its own class and its traceback."""

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details

    @property
    def kind(self) -> str:
        """Name of the error class, the stable word that travels between processes and into the event log."""
        return type(self).__name__


class ConfigurationError(HoldfastError):
    """A file on the node is missing or does not have the agreed shape."""


class DeadlineError(HoldfastError):
    """Something did not finish in the time it was given."""


class ScsiError(HoldfastError):
    """A SCSI command did not end GOOD."""


class ReservationConflictError(ScsiError):
    """Status RESERVATION CONFLICT: the array refuses this nexus, which is an answer and not a fault."""


class PathFailedError(ScsiError):
    """The transport gave up: no connection, reset, or timeout. Says nothing about the reservation."""


class CheckConditionError(ScsiError):
    """The device answered with sense data that is neither a unit attention nor a conflict."""


class MultipathError(HoldfastError):
    """multipathd could not be reached or refused a command."""


class VolumeError(HoldfastError):
    """A volume group could not be read, activated or deactivated."""


class MountError(HoldfastError):
    """A file system could not be mounted or unmounted."""


class ResourceError(HoldfastError):
    """A database, unit or OCF agent could not be started, stopped or asked."""


class WatchdogError(HoldfastError):
    """The watchdog is not the device that it has to be."""


class UnitError(HoldfastError):
    """systemd refused a request or did not answer."""
