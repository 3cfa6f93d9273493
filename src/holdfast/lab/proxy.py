"""ssh's proxy command: get a connection to a lab node from the lab's supervisor and pass it on to ssh.

Runs alone (`python3 -I -S proxy.py SOCKET NODE PORT`), without the rest of Holdfast, because every connection of Ansible
starts it: 20 ms instead of 200 ms.
"""

import json
import os
import socket
import sys


def main() -> int:
    path, node, port = sys.argv[1:4]
    directory, name = os.path.split(path)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # A socket's path is limited to 107 bytes (unix(7)); this way the folder's depth does not matter.
        folder = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        control.connect(f"/proc/self/fd/{folder}/{name}")
    except OSError:
        sys.stderr.write(f"the lab of {node} is not up; start it with: holdfast lab up\n")
        return 1
    control.sendall(json.dumps({"verb": "connect", "node": node, "port": int(port)}).encode() + b"\n")
    message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
    answer = json.loads(message)
    if "error" in answer:
        sys.stderr.write(f"{answer['error']}\n")
        return 1
    # ssh reads the descriptor from its proxy's standard output (sshconnect.c, ssh_proxy_fdpass_connect).
    with socket.socket(fileno=os.dup(1)) as ssh:
        socket.send_fds(ssh, [b"\0"], descriptors)
    return 0


if __name__ == "__main__":
    sys.exit(main())
