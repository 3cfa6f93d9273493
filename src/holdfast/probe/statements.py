"""What the probe says to a database, in that database's words."""

from __future__ import annotations

from typing import NamedTuple


class Statements(NamedTuple):
    """One of each for every database. The order of the values is the same for all:

    insert: run, worker, seq, rows · newest: run, workers with commas between · all_rows: run
    """

    create: tuple[str, ...]
    insert: str
    newest: str
    all_rows: str


STATEMENTS = {
    "postgresql": Statements(
        create=(
            "CREATE SCHEMA IF NOT EXISTS holdfast_probe",
            "CREATE TABLE IF NOT EXISTS holdfast_probe.transaction (run text, worker text, seq bigint, part int, "
            "PRIMARY KEY (run, worker, seq, part))",
        ),
        insert="INSERT INTO holdfast_probe.transaction SELECT $1, $2, $3::bigint, part FROM generate_series(1, $4::int) AS part",
        newest="SELECT worker, (SELECT max(seq) FROM holdfast_probe.transaction t WHERE t.run = $1 AND t.worker = w.worker) "
        "FROM unnest(string_to_array($2, ',')) AS w(worker)",
        all_rows="SELECT worker, seq, count(*) FROM holdfast_probe.transaction WHERE run = $1 "
        "GROUP BY worker, seq ORDER BY worker, seq",
    ),
    "mariadb": Statements(
        create=(
            "CREATE TABLE IF NOT EXISTS holdfast_probe.transaction (run varchar(100), worker varchar(10), seq bigint, "
            "part int, PRIMARY KEY (run, worker, seq, part)) ENGINE=InnoDB",
        ),
        insert="INSERT INTO holdfast_probe.transaction SELECT %s, %s, %s, seq FROM seq_1_to_5 WHERE seq <= %s",
        newest="SELECT worker, max(seq) FROM holdfast_probe.transaction WHERE run = %s AND FIND_IN_SET(worker, %s) "
        "GROUP BY worker",
        all_rows="SELECT worker, seq, count(*) FROM holdfast_probe.transaction WHERE run = %s "
        "GROUP BY worker, seq ORDER BY worker, seq",
    ),
}  # fmt: skip
