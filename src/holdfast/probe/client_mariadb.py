"""MariaDB's side of the probe (client.py), through the distribution's python3-pymysql.

Every wait has its own deadline: PyMySQL's timeouts hold for each reading of the socket, and an answer of the probe's
statements is one packet or a few.
"""

from __future__ import annotations

import importlib
from typing import Any

from holdfast.probe.attempts import NoAnswer, Refused

#: Codes from here on are the client library's own: no connection, connection lost (MariaDB manual, error codes 2000-2999).
CLIENT_ERRORS = 2000
#: The server answers so while it goes down, and may have committed before it did: shutdown in progress, connection killed.
GOING_DOWN = (1053, 1927, 1152, 1158, 1159, 1160, 1161)


class Connection:
    """One connection that commits every statement by itself, unless BEGIN was said."""

    def __init__(self, settings: dict[str, Any], tcp_seconds: float, seconds: float) -> None:
        self.driver = importlib.import_module("pymysql")  # here, so that the tests of the rest need no driver
        try:
            self.raw = self.driver.connect(
                **settings, ssl={"verify_mode": "none"}, autocommit=True, connect_timeout=tcp_seconds,
                read_timeout=seconds, write_timeout=seconds,
            )  # fmt: skip
        except (self.driver.MySQLError, OSError) as error:
            raise NoAnswer(str(error)[:200]) from error

    def execute(self, sql: str, values: list[str], seconds: float) -> list[list[str]]:
        """Rows of one statement. Refused, or NoAnswer."""
        self.raw._read_timeout = self.raw._write_timeout = seconds
        try:
            with self.raw.cursor() as cursor:
                cursor.execute(sql, values or None)
                return [["" if value is None else str(value) for value in row] for row in cursor.fetchall()]
        except (self.driver.MySQLError, OSError) as error:
            raise self._meaning(error)(str(error)[:200]) from error

    @staticmethod
    def _meaning(error: Exception) -> type[Exception]:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else CLIENT_ERRORS
        return NoAnswer if code >= CLIENT_ERRORS or code in GOING_DOWN else Refused

    def close(self) -> None:
        """Without a word: talking to a dead server takes time."""
        self.raw._force_close()
