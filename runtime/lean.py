"""Keeps what costs memory out of our processes. Imported first by every entry point.

``ovs.poller`` and parts of oslo import eventlet whenever it is installed (17 MiB a process); none of ours
uses it. A module that is None in ``sys.modules`` raises ImportError, which all of them handle; except
oslo.service, which oslo.messaging imports: it takes eventlet unless it was told to use threads.
"""

import importlib
import sys

sys.modules.setdefault("eventlet", None)  # type: ignore[arg-type]

_backend = importlib.import_module("oslo_service.backend")
_backend.register_backend_default_hook(lambda: _backend.BackendType.THREADING)
