"""The loop of a child: take a job, do it, report, again; ends when the agent is gone."""

from __future__ import annotations

import os
import signal
import socket
import traceback

from ..errors import HoldfastError
from .messages import Job, JobEnd, receive_message, send_message
from .process import die_with_parent, set_process_name

# Other programs' words are in errors, and a message has to fit a packet.
_TEXT_CHARACTERS = 8000


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
        return _failed(job, error.kind, error, error.details)
    except OSError as error:
        return _failed(job, "OSError", error, {"errno": error.errno})
    except Exception as error:
        # The border between processes: what is a bug in the child has to reach the agent's log, not vanish with it.
        return _failed(job, type(error).__name__, error, {"traceback": traceback.format_exc()})


def _failed(job: Job, kind: str, error: Exception, details: dict[str, object]) -> JobEnd:
    plain = {key: value if isinstance(value, (int, float, type(None))) else str(value)[-_TEXT_CHARACTERS:]
             for key, value in details.items()}  # fmt: skip
    return JobEnd(job.number, None, kind, str(error)[:_TEXT_CHARACTERS], plain)
