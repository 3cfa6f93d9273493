"""Record random runs of the formal model for test_model_replay.py: python -m tests.unit.agent.core.regenerate_traces"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

MODEL = Path(__file__).parents[4] / "model" / "ownership.pml"
TRACES = Path(__file__).parent / "traces"
RUNS = {
    "crash_and_returned_path": "-DCRASHES=2 -DRETURNS=2",
    "array_restart_without_keys": "-DCLEARS=2 -DRETURNS=1",
    "three_nodes": "-DN=3 -DCRASHES=2 -DRETURNS=1",
    "moves": "-DSTOPS=3 -DCRASHES=1",
    "path_loss": "-DPROGRESS -DPATHS=60 -DLOSSES=30 -DAGENTS=4 -DFREEZES=3 -DSTOPS=2 -DRETURNS=5",
    "path_loss_three_nodes": "-DN=3 -DPROGRESS -DPATHS=60 -DLOSSES=30 -DAGENTS=4 -DCRASHES=2",
}
STEPS = 6000
"""Model steps per run; a line of trace for about ten of them."""


def record_trace(defines: str, seed: int) -> list[str]:
    """One random run of the model: its STEP and FAULT lines. Raises CalledProcessError when spin refuses the model."""
    with TemporaryDirectory() as directory:
        shutil.copy(MODEL, directory)
        command = ["spin", f"-n{seed}", f"-u{STEPS}", "-DTRACE", *defines.split(), MODEL.name]
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True, timeout=300)
    lines = (line.strip() for line in done.stdout.splitlines())
    return [line for line in lines if line.startswith(("STEP ", "FAULT "))]


def main() -> None:
    TRACES.mkdir(exist_ok=True)
    for name, defines in RUNS.items():
        for seed in (1, 2, 3):
            lines = record_trace(defines, seed)
            (TRACES / f"{name}_{seed}.txt").write_text("\n".join(lines[:500]) + "\n")
            print(f"{name} {seed}: {len(lines)} lines")


if __name__ == "__main__":
    main()
