"""Programs that measure. They are copied to the hosts and run there with the standard library only; nothing here is imported
by the driver except their text.

One file each, given to `python3 -` on its standard input:

``address``  on a client host: who answers ARP for the address
``node``     on every node: reservation tables, mounts, addresses, several times a second; or one snapshot
``integrity``  on the owner, where asked: the database's own tools look for damage

On a client host, in a folder that holds all the other files of this one under the same names:

``client``   transactions against the package's address, every attempt logged (also needs the distribution's python3-psycopg
             or python3-pymysql)
``erp``      a user of the ERP who places orders, every call logged
"""

from pathlib import Path

_HERE = Path(__file__).parent
PROGRAMS = {name: _HERE / f"{name}.py" for name in ("address", "node", "integrity")}


def client_files() -> dict[str, str]:
    """What a client host needs, text by path below a folder of its own."""
    shared = [path for path in sorted(_HERE.glob("*.py")) if path.stem not in ("__init__", *PROGRAMS)]
    packages = {"holdfast/__init__.py": "", "holdfast/probe/__init__.py": ""}
    return {**packages, **{f"holdfast/probe/{path.name}": path.read_text() for path in shared}}


def build_client_command(folder: str, program: str, *words: str) -> list[str]:
    """The call of ``client`` or ``erp`` on the host whose folder this is."""
    return ["env", f"PYTHONPATH={folder}", "python3", "-m", f"holdfast.probe.{program}", *words]
