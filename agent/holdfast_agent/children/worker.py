"""The loop of a child: take a job, do it, report, again; ends when the agent is gone."""

from __future__ import annotations

import os
import signal
import socket
import traceback

from ..errors import HoldfastError
from .messages import Job, JobEnd, receive_message, send_message
from .process import die_with_parent, set_process_name


def serve_jobs(connection: socket.socket, name: str) -> None:
    """Serve until the other side closes; never returns an exception to the caller."""
    # A group of its own, so that the agent can end a job together with the programs that the job started.
    os.setsid()
    die_with_parent()
    set_process_name(name)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            job = receive_message(connection)
            send_message(connection, run_job(job))
        except (EOFError, OSError):
            # The agent is gone, or gave this job up while it was being answered; errors of the job itself are in its end.
            return


def run_job(job: Job) -> JobEnd:
    """Do one job; every error becomes data, a bug with its traceback."""
    try:
        return JobEnd(job.number, job.function(*job.arguments))
    except HoldfastError as error:
        return JobEnd(job.number, None, error.kind, str(error), _plain(error.details))
    except OSError as error:
        return JobEnd(job.number, None, "OSError", str(error), {"errno": error.errno})
    except Exception as error:
        # The border between processes: what is a bug in the child has to reach the agent's log, not vanish with it.
        return JobEnd(job.number, None, type(error).__name__, str(error), {"traceback": traceback.format_exc()})


def _plain(details: dict[str, object]) -> dict[str, object]:
    return {key: value if isinstance(value, (str, int, float, type(None))) else str(value)
            for key, value in details.items()}  # fmt: skip
