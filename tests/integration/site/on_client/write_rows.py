"""Inserts one row a transaction until a file appears, half of them on a connection of their own. Runs on a client.

Prints one JSON object: acknowledged rows, errors, and the longest wait in seconds.
"""

import json
import sys
import time
from pathlib import Path

import psycopg


def main(conninfo, stop):
    acknowledged, errors, longest = [], [], 0.0
    lasting = psycopg.connect(conninfo, autocommit=True)
    lasting.execute("CREATE TABLE IF NOT EXISTS apply_test (number int PRIMARY KEY)")
    first = lasting.execute("SELECT coalesce(max(number), 0) + 1 FROM apply_test").fetchone()[0]
    number = first
    while not Path(stop).exists():
        begin = time.monotonic()
        try:
            if number % 2:
                with psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as fresh:
                    fresh.execute("INSERT INTO apply_test VALUES (%s)", (number,))
            else:
                lasting.execute("INSERT INTO apply_test VALUES (%s)", (number,))
            acknowledged.append(number)
        except psycopg.Error as error:
            errors.append(f"{number}: {error}")
            if lasting.closed:
                break
        longest = max(longest, time.monotonic() - begin)
        number += 1
        time.sleep(0.05)
    with psycopg.connect(conninfo, autocommit=True, connect_timeout=30) as last:
        there = {row[0] for row in last.execute("SELECT number FROM apply_test WHERE number >= %s", (first,))}
    print(json.dumps({"acknowledged": len(acknowledged), "errors": errors, "longest_seconds": round(longest, 2),
                      "lost": sorted(set(acknowledged) - there)}))


main(*sys.argv[1:])
