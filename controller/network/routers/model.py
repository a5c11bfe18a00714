"""Rows of routers. Their ports are rows of ports with ``router_id``, the gateway's among them."""

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from controller.db.columns import Base, Id, new_uuid
from controller.network.standard import Standard


class Router(Standard, Base):
    """A router. ``host`` carries it, empty while it has no port or no host lives.

    ``is_snat`` is the gateway's: inner addresses leave with the gateway's own; so is ``qos_policy_id``.
    """

    __tablename__ = "routers"

    id: Mapped[Id] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(String(255), default="", index=True)
    is_admin_up: Mapped[bool] = mapped_column(default=True)
    status: Mapped[str] = mapped_column(String(16), default="ACTIVE")
    host: Mapped[Id] = mapped_column(default="", index=True)
    is_snat: Mapped[bool] = mapped_column(default=True)
    qos_policy_id: Mapped[Id | None] = mapped_column(ForeignKey("qos_policies.id"), index=True)
    routes: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list)
    availability_zone_hints: Mapped[list[str]] = mapped_column(JSON, default=list)
