"""Programs that measure. They are copied to the hosts and run there alone: one file each, standard library only
(``client`` also needs the distribution's python3-psycopg, or ``client_mariadb`` and python3-pymysql). Nothing here is
imported by the driver except their text.

``client``   on a client host: transactions against the package's address, every attempt logged
``erp``      on a client host: a user of the ERP who places orders, every call logged
``address``  on a client host: who answers ARP for the address
``node``     on every node: reservation tables, mounts, addresses, several times a second; or one snapshot
``integrity``  on the owner, where asked: the database's own tools look for damage
"""

from pathlib import Path

NAMES = ("client", "client_mariadb", "erp", "address", "node", "integrity")
PROGRAMS = {name: Path(__file__).with_name(f"{name}.py") for name in NAMES}
