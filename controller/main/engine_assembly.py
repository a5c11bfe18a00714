"""The whole engine on one page: documents, observers and operations that the slices bring.

Apart from ``assembly``, because the engine answers no REST: it does without the memory of what does.
"""

from collections.abc import Mapping

from controller.compute.servers import document as server_documents
from controller.compute.servers import observe as server_observe
from controller.compute.servers.operations import boot, delete, interfaces, power, reboot, volumes
from controller.db.host_documents import Dependents, DocumentKind
from controller.db.session import Database
from controller.engine.reports import Observe
from controller.network import documents as network_documents
from controller.network import observe as network_observe
from controller.network.routers import failover as router_failover
from controller.operations.step import Definition
from controller.volume import documents as volume_documents
from controller.volume import observe as volume_observe
from controller.volume import operations as volume_operations
from runtime.chores import Chore

DOCUMENTS: Mapping[str, DocumentKind] = {
    **network_documents.DOCUMENTS,
    **volume_documents.DOCUMENTS,
    **server_documents.DOCUMENTS,
}

DEPENDENTS: Mapping[str, Dependents] = {
    **network_documents.DEPENDENTS,
    **volume_documents.DEPENDENTS,
    **server_documents.DEPENDENTS,
}

OBSERVERS: Mapping[str, Observe] = {
    "server": server_observe.observe_server,
    "port": network_observe.observe_port,
    "router": network_observe.observe_router,
    "volume": volume_observe.observe_volume,
    "export": volume_observe.observe_export,
}


def chores(db: Database) -> list[Chore]:
    """What each engine does now and then."""
    failover = router_failover.Failover()
    return [Chore("routers whose host is gone", 5, lambda: failover(db))]


DEFINITIONS: Mapping[str, Definition] = {
    d.kind: d
    for d in (
        boot.DEFINITION,
        delete.DEFINITION,
        power.START,
        power.STOP,
        reboot.SOFT,
        reboot.HARD,
        volumes.ATTACH,
        volumes.DETACH,
        interfaces.ATTACH,
        interfaces.DETACH,
        *volume_operations.DEFINITIONS,
    )
}
