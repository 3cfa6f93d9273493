#!/usr/bin/python3
"""Whether a database's own tools find damage in its data: run on the node that serves it, while it serves.

    integrity.py amcheck VERSION PORT       pg_amcheck: every table and every btree index of every database
    integrity.py checksums VERSION PORT     the checksum of every page, by reading a base backup that goes nowhere
    integrity.py mariadb-check SOCKET       every table of a MariaDB server

One JSON object on standard output: `good` is true, false (damage), or null where the tool could not say.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import NamedTuple

SOCKETS = "/var/run/postgresql"
# All pages of the data directory are read; beyond this nobody waits for a drill.
LONGEST_SECONDS = 6 * 3600
#: pg_amcheck ends with 2 where a check found damage, with 1 where it could not check (its source, main).
DAMAGE_FOUND = 2
# What pg_basebackup says about a damaged page; its exit code is that of any error.
DAMAGED_PAGE = "checksum verification failed"


class Answer(NamedTuple):
    """What a tool found: `good` is None where it could not say; `words` are for the report, `output` is all it said."""

    good: bool | None
    words: str
    output: str = ""


class Postgresql:
    """The programs of one version, as the database's superuser over its socket."""

    def __init__(self, version: str, port: str) -> None:
        self.binaries, self.reach = f"/usr/lib/postgresql/{version}/bin", ["--host", SOCKETS, "--port", port]

    def run(self, program: str, *words: str) -> tuple[int, str]:
        """Exit code and everything that was said."""
        argv = ["runuser", "-u", "postgres", "--", f"{self.binaries}/{program}", *self.reach, *words]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              errors="replace", timeout=LONGEST_SECONDS, cwd="/")  # fmt: skip
        return done.returncode, done.stdout

    def query(self, database: str, sql: str) -> list[str]:
        """Rows, columns parted by ``|``. OSError with psql's own words."""
        code, text = self.run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql)
        if code:
            raise OSError(text.strip()[-300:])
        return text.splitlines()

    def amcheck(self) -> Answer:
        """The extension that it needs is taken away again where it was not there before."""
        databases = self.query("postgres", "SELECT datname FROM pg_database WHERE datallowconn")
        count = "SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"
        without = [name for name in databases if self.query(name, count) == ["0"]]
        try:
            code, text = self.run("pg_amcheck", "--all", "--install-missing", "--heapallindexed")
        finally:
            for name in without:
                self.query(name, "DROP EXTENSION IF EXISTS amcheck")
        if code == 0:
            return Answer(True, f"pg_amcheck found nothing wrong in {len(databases)} databases", text)
        if code == DAMAGE_FOUND:
            return Answer(False, f"pg_amcheck found damage: {first_line(text, 'ERROR')}", text)
        return Answer(None, f"pg_amcheck could not check: {first_line(text, 'error')}", text)

    def checksums(self) -> Answer:
        """A base backup to nowhere reads every page and verifies its checksum (PostgreSQL manual, pg_basebackup)."""
        if self.query("postgres", "SHOW data_checksums") != ["on"]:
            return Answer(None, "the database was made without checksums")
        code, text = self.run("pg_basebackup", "--target=blackhole", "--wal-method=none", "--checkpoint=fast")
        if code == 0:
            (size,) = self.query("postgres", "SELECT sum(pg_database_size(oid)) / 1048576 FROM pg_database")
            return Answer(True, f"the checksums of all pages are right ({float(size):.0f} MiB)", text)
        if DAMAGED_PAGE in text:
            return Answer(False, f"{text.count(DAMAGED_PAGE)} damaged pages: {first_line(text, DAMAGED_PAGE)}", text)
        return Answer(None, f"the pages could not be read: {first_line(text, 'error')}", text)


def mariadb_check(socket: str) -> Answer:
    """mariadb-check says a line per table, and ends with 0 whatever it found."""
    argv = ["mariadb-check", "--no-defaults", f"--socket={socket}", "--all-databases", "--check", "--extended"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          errors="replace", timeout=LONGEST_SECONDS)  # fmt: skip
    return judge_tables(done.returncode, done.stdout)


def judge_tables(code: int, text: str) -> Answer:
    """Tables that are not OK are damaged; where no table was named nothing was checked."""
    lines = [line.split() for line in text.splitlines()]
    fine = sum(len(words) == 2 and words[1] == "OK" for words in lines)
    damage = [line for line in text.splitlines() if line.lower().startswith("error") or "corrupt" in line.lower()]
    if damage:
        return Answer(False, f"mariadb-check found damage: {' '.join(damage[0].split())}", text)
    if code or not fine:
        return Answer(None, f"mariadb-check could not check: {(text.strip() or 'it said nothing').splitlines()[-1]}", text)
    return Answer(True, f"mariadb-check found nothing wrong in {fine} tables", text)


def first_line(text: str, word: str) -> str:
    """The line that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if word in line), lines[-1] if lines else "it said nothing")


def main(argv: list[str]) -> int:
    begin = time.monotonic()
    try:
        answer = mariadb_check(argv[2]) if argv[1] == "mariadb-check" else getattr(Postgresql(*argv[2:4]), argv[1])()
    except (OSError, subprocess.SubprocessError) as error:
        answer = Answer(None, str(error))
    print(json.dumps({**answer._asdict(), "seconds": round(time.monotonic() - begin, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
