# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What a LUN is called everywhere, known before it exists.

The unit serial is a UUID made from the names of cluster and LUN. LIO builds the NAA identifier from it: format 6,
then the company code 001405h, then the first 25 hexadecimal digits of the serial (drivers/target/target_core_spc.c,
spc_gen_naa_6h_vendor_specific). udev and multipath put the designator type 3 in front.
"""

from __future__ import annotations

import uuid

_LIO_NAA_PREFIX = "6001405"
_NAA_VENDOR_DIGITS = 25


def lio_serial(cluster: str, lun: str) -> str:
    """Unit serial number of a LUN of a cluster: the same on every build, on every array."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"holdfast/{cluster}/{lun}"))


def lio_wwid(serial: str) -> str:
    """WWID under which a LUN with this unit serial appears at a node (`/dev/disk/by-id/scsi-WWID`)."""
    return "3" + _LIO_NAA_PREFIX + serial.replace("-", "").lower()[:_NAA_VENDOR_DIGITS]
