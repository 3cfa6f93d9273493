"""Appends numbers to a file, one fsync each, and tells every number once it is durable. Runs on a node."""

import os
import sys
import time


def main(path, first):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = first
    while True:
        start = time.monotonic()
        try:
            os.write(descriptor, b"%d\n" % number)
            os.fsync(descriptor)
        except OSError as error:
            print("error", number, error.errno, flush=True)
            return
        print(number, round(time.monotonic() - start, 3), flush=True)
        number += 1


main(sys.argv[1], int(sys.argv[2]))
