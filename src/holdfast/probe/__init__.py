"""Programs that measure. They are copied to the hosts and run there alone: one file each, standard library only
(``client`` also needs the distribution's python3-psycopg, or ``client_mariadb`` and python3-pymysql). Nothing here is
imported by the driver except their text.

``client``   on a client host: transactions against the package's address, every attempt logged
``erp``      on a client host: a user of the ERP who places orders, every call logged
``address``  on a client host: who answers ARP for the address
``node``     on every node: reservation tables, mounts, addresses, several times a second; or one snapshot
"""

from pathlib import Path

PROGRAMS = {name: Path(__file__).with_name(f"{name}.py") for name in ("client", "client_mariadb", "erp", "address", "node")}
