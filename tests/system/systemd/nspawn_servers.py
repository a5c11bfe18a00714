"""MariaDB and RabbitMQ as units of a host of nspawn.py.

RabbitMQ's is Debian's own. MariaDB's is written here: the package that is installed for the cloud has none, since there
``make up`` starts the server itself.
"""

from tests.system.systemd.nspawn import Host

UNITS = ("mariadb", "rabbitmq-server")
#: What processes of the host find the servers by.
DATABASE_URL = (
    "mysql+pymysql://cumulet:stored@localhost/cumulet?unix_socket=/run/mysqld/mysqld.sock&charset=utf8mb4"
)
BROKER_URL = "rabbit://cumulet:carried@127.0.0.1:5672/"

_DATA = "/var/lib/mysql"
_MARIADB = f"""\
[Unit]
Description=MariaDB
[Service]
Type=notify
User=mysql
RuntimeDirectory=mysqld
ExecStart=/usr/sbin/mariadbd --no-defaults --datadir={_DATA} --socket=/run/mysqld/mysqld.sock --skip-networking \
--transaction-isolation=READ-COMMITTED --character-set-server=utf8mb4 --innodb-buffer-pool-size=64M
[Install]
WantedBy=multi-user.target
"""
_RABBITMQ = """\
listeners.tcp.1 = 127.0.0.1:5672
default_user = cumulet
default_pass = carried
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
"""
_STATEMENTS = (
    "CREATE DATABASE cumulet CHARACTER SET utf8mb4",
    "CREATE USER cumulet@localhost IDENTIFIED BY 'stored'",
    "GRANT ALL ON cumulet.* TO cumulet@localhost",
)


def start(host: Host) -> None:
    """Both, with an empty database; they start at each boot from then on."""
    host.write("etc/rabbitmq/rabbitmq.conf", _RABBITMQ)
    host.write("etc/systemd/system/mariadb.service", _MARIADB)
    host.run("sh", "-c", "id -u mysql || useradd --system --user-group --shell /bin/false mysql")
    how = ("--no-defaults", "--user=mysql", f"--datadir={_DATA}", "--skip-test-db", "--skip-name-resolve")
    host.run("mariadb-install-db", *how, "--auth-root-authentication-method=socket")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", *UNITS, timeout_s=300)
    host.run("mariadb", "--no-defaults", "--socket=/run/mysqld/mysqld.sock", "-e", "; ".join(_STATEMENTS))
