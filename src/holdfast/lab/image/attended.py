"""Run an image build that ends, and leaves nothing, when the one who asked for it is gone, however he went.

Standard input is a pipe from the caller that nobody ever writes to: the kernel closes it when the caller ends, also by
SIGKILL. Then the build's namespaces are ended with all that runs in them, and its folder is removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from holdfast.lab.image.store import remove_half_built
from holdfast.lab.namespaces import isolated


def main() -> int:
    argv = isolated([sys.executable, "-m", "holdfast.lab.image.build", sys.argv[1]], network=False)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as child:
        threading.Thread(target=end_with_caller, args=(child,), daemon=True).start()
        code = child.wait()
    if code != 0:
        remove_half_built()
    return 1 if code else 0


def end_with_caller(child: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)
    child.kill()


if __name__ == "__main__":
    sys.exit(main())
