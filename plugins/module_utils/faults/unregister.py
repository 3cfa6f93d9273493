# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Takes one registration back: C(unregister.py DEVICE KEY). Complete in itself, because a timer runs it alone.

A conflict means that the key is not there any more, which is as good.
"""

import ctypes
import fcntl
import os
import struct
import sys

# include/scsi/sg.h; SPC-4 6.16
SG_IO, TO_DEVICE, TIMEOUT_MILLISECONDS = 0x2285, -2, 5000
PERSISTENT_RESERVE_OUT, REGISTER = 0x5F, 0x00


def build_header(cdb, data, sense):
    """struct sg_io_hdr (include/scsi/sg.h), 64-bit layout."""
    return struct.pack(
        "@iiBBHIPPPIIiPBBBBHHiII0P",
        ord("S"), TO_DEVICE, len(cdb.raw), len(sense.raw), 0, len(data.raw),
        ctypes.addressof(data), ctypes.addressof(cdb), ctypes.addressof(sense),
        TIMEOUT_MILLISECONDS, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def unregister(device, key):
    """REGISTER with the key and the new key zero; unit attentions are told once, so it is asked a few times."""
    cdb = ctypes.create_string_buffer(struct.pack(">BBB2xIB", PERSISTENT_RESERVE_OUT, REGISTER, 0, 24, 0), 10)
    data = ctypes.create_string_buffer(struct.pack(">QQ8x", key, 0), 24)
    sense = ctypes.create_string_buffer(32)
    descriptor = os.open(device, os.O_RDWR | os.O_NONBLOCK)
    try:
        for _attempt in range(4):
            header = bytearray(build_header(cdb, data, sense))
            fcntl.ioctl(descriptor, SG_IO, header)
            status = header[struct.calcsize("@iiBBHIPPPIIiP")]
            if status != 2:
                break
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    unregister(sys.argv[1], int(sys.argv[2], 0))
