"""The image API behind its real web server, in a process of its own: ``python -m tests.fakes.served_images PORT DIR``.

One thread answers calls. Tokens are those of the functional tests.
"""

import sys
import threading

from oslo_config import cfg

from controller.db.session import Database
from controller.image import options
from controller.image.policies import RULES
from controller.image.routes import SERVICE
from controller.web import app
from controller.web.asgi import AsgiApp
from controller.web.policy import Policy
from controller.web.resource import Cloud
from controller.web.server import WebServer
from runtime import settings
from tests.functional.conftest import caller


def serve(port: int, directory: str) -> None:
    """Until it is killed."""
    conf = cfg.ConfigOpts()
    settings.register(conf)
    options.register(conf)
    conf([], project="cumulet", default_config_files=[])
    conf.set_override("state_path", directory)
    db = Database(f"sqlite:///{directory}/test.db")
    cloud = Cloud(conf, db, Policy(conf, RULES), {"image_in_use": lambda session, image_id: False})
    WebServer(AsgiApp(app.build(SERVICE, cloud, caller), threads=1), ("127.0.0.1", port)).start()
    threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
