"""A lab of real Linux nodes on one machine: real kernels, iSCSI, multipath, reservations, watchdogs and VRRP."""

from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.lab import Lab, labs
from holdfast.lab.node import ConnectionLost, Done, Node, RemoteError

__all__ = ["ConnectionLost", "Done", "Lab", "LabError", "Node", "RemoteError", "UsageError", "labs"]
