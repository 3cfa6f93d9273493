"""A lab of real Linux nodes on one machine: real kernels, iSCSI, multipath, reservations, watchdogs and VRRP."""

from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.lab import ConnectionLost, Done, Lab, Node, RemoteError, labs

__all__ = ["ConnectionLost", "Done", "Lab", "LabError", "Node", "RemoteError", "UsageError", "labs"]
