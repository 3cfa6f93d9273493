"""PgBouncer's admin console (PgBouncer manual, "Admin console"): the few commands that a move needs.

PgBouncer lets user "pgbouncer" in without a password where the peer of its Unix socket is the user that it runs as itself.
"""

from __future__ import annotations

import os
import time

from ..errors import DeadlineError, ResourceError
from ..resources.postgresql_wire import Database, run_query

# RESUME and RECONNECT only set marks; an answer that takes longer means that PgBouncer does not run its loop.
_COMMAND_SECONDS = 2.0
# A PgBouncer that is not there is not paused either, and the next one starts without a pause.
_NOTHING_TO_RESUME = ("not paused", "does not accept connections")


class Console:
    """One PgBouncer, by the directory of its socket and its port."""

    def __init__(self, socket_directory: str, port: int) -> None:
        self._database = Database(socket_directory, port, "pgbouncer", os.geteuid(), "pgbouncer")

    def pause(self, deadline: float) -> None:
        """Hold new transactions back and wait until those under way have ended and all server connections are closed.

        Raises DeadlineError where they have not: the pause is then still on, and ``resume`` ends it.
        """
        try:
            run_query(self._database, "PAUSE", deadline)
        except DeadlineError as error:
            raise DeadlineError("transactions are still under way") from error

    def resume(self) -> None:
        """Let clients go on; nothing happens where they do."""
        try:
            self._run("RESUME")
        except ResourceError as error:
            if not any(words in str(error) for words in _NOTHING_TO_RESUME):
                raise

    def reconnect(self) -> None:
        """Close each server connection as soon as no transaction uses it: the server behind the address is another one."""
        self._run("RECONNECT")

    def _run(self, command: str) -> None:
        run_query(self._database, command, time.monotonic() + _COMMAND_SECONDS)
