"""Asks the first gate of the first package for a hold of two seconds, and then says nothing more, as a node that dies after it.

Argument: the package's term.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, "/usr/lib/holdfast/agent")

from holdfast_agent.config import load_packages
from holdfast_agent.pooler.asking import ask_gate
from holdfast_agent.pooler.message import PAUSE, Question, derive_key

pooler = load_packages()[0].poolers[0]
key = derive_key(Path("/etc/holdfast/cluster.key").read_bytes().strip(), "erp", pooler.host)
question = Question(PAUSE, int(sys.argv[1]), time.monotonic(), 2.0, 2.0)
print(ask_gate((pooler.address, pooler.control_port), key, question, time.monotonic() + 30))
