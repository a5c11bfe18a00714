"""The image API behind its real web server, in a process of its own: ``python -m tests.fakes.served_images PORT DIR``.

One thread answers calls. Tokens are those of the functional tests.
"""

import os
import sys

from oslo_config import cfg

from controller.db.session import Database
from controller.image import options
from controller.image.policies import RULES
from controller.image.routes import SERVICE
from controller.web import app
from controller.web.policy import Policy
from controller.web.resource import Cloud
from controller.web.server import Server, serve
from runtime import settings
from tests.functional.conftest import caller

_DIRECTORY = "CUMULET_TEST_DIRECTORY"


def create_app() -> Server:
    """In granian's worker."""
    conf = cfg.ConfigOpts()
    settings.register(conf)
    options.register(conf)
    conf([], project="cumulet", default_config_files=[])
    conf.set_override("state_path", os.environ[_DIRECTORY])
    db = Database(f"sqlite:///{os.environ[_DIRECTORY]}/test.db")
    cloud = Cloud(conf, db, Policy(conf, RULES), {"image_in_use": lambda session, image_id: False})
    return Server(app.build(SERVICE, cloud, caller), threads=1)


if __name__ == "__main__":
    os.environ[_DIRECTORY] = sys.argv[2]
    serve("tests.fakes.served_images:create_app", "127.0.0.1", int(sys.argv[1]))
