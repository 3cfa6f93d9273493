"""Play many fresh runs of the formal model to the code: python -m tests.unit.agent.core.replay_seeds [FIRST [LAST]]

One line per family, one per disagreement with its seed; exit code 1 when there was one. Needs spin.
"""

from __future__ import annotations

import sys

from tests.unit.agent.core.regenerate_traces import RUNS, record_trace
from tests.unit.agent.core.replay import Disagreement, replay_lines


def replay_family(name: str, seeds: range) -> int:
    """Play one random run per seed; returns the number of disagreements."""
    compared, disagreements = 0, 0
    for seed in seeds:
        try:
            compared += replay_lines(record_trace(RUNS[name], seed)).compared
        except Disagreement as error:
            disagreements += 1
            print(f"{name} {seed}: {error}", flush=True)
    print(f"{name}: {len(seeds)} runs, {compared} steps compared, {disagreements} disagreements", flush=True)
    return disagreements


def main(arguments: list[str]) -> int:
    first, last = (*map(int, arguments), *(1, 30)[len(arguments) :])
    return 1 if sum(replay_family(name, range(first, last + 1)) for name in RUNS) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
