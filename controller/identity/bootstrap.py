"""What a new cloud begins with: domain, projects, admin, roles, region, services; safe to repeat.

What is there already is left as it is, but the admin's password and the URLs are set to what is given.
"""

from dataclasses import dataclass

from sqlalchemy import false, func, select
from sqlalchemy.orm import Session

from controller.db.sealed import MasterKey
from controller.db.session import Database
from controller.identity.assignments.grants import Kind, grant
from controller.identity.catalog.model import Endpoint, Region, Service
from controller.identity.passwords import Passwords
from controller.identity.projects.model import NO_DOMAIN, Project, ProjectAncestor
from controller.identity.resource import DEFAULT_DOMAIN
from controller.identity.roles import closure
from controller.identity.roles.model import Implication, Role
from controller.identity.tokens import keys
from controller.identity.tokens.model import TokenKey
from controller.identity.users.model import User
from controller.identity.users.update import set_password

#: Each role and the one that it implies.
ROLES = {"admin": "manager", "manager": "member", "member": "reader", "reader": "", "service": ""}
#: Type, name and path of the services in the catalog.
SERVICES = (
    ("identity", "keystone", "/identity"),
    ("image", "glance", "/image"),
    ("compute", "nova", "/compute/v2.1"),
    ("network", "neutron", "/network"),
    ("block-storage", "cinder", "/volume/v3/%(project_id)s"),
    ("volumev3", "cinder", "/volume/v3/%(project_id)s"),
    ("placement", "placement", "/placement"),
)
INTERFACES = ("public", "internal", "admin")


@dataclass(frozen=True)
class Beginning:
    """What the operator says. ``base_url`` is where all services are reached, without a slash at the end."""

    admin_password: str
    base_url: str
    region: str = "RegionOne"


def bootstrap(db: Database, master: MasterKey, passwords: Passwords, beginning: Beginning) -> None:
    """Makes what is missing, in one transaction; the password is hashed before it."""
    with db.read() as session:
        stored = session.scalar(
            select(User.password_hash).where(User.name == "admin", User.domain_id == DEFAULT_DOMAIN)
        )
    is_same = passwords.is_right(beginning.admin_password, stored, may_remember=False)
    hashed = None if is_same else passwords.hashed(beginning.admin_password)

    def verb(session: Session) -> None:
        if not session.scalar(select(func.count()).select_from(TokenKey)):
            keys.rotate(session, master)
        _projects(session)
        _roles(session)
        _admin(session, hashed)
        _catalog(session, beginning)

    db.write(verb)


def _projects(session: Session) -> None:
    if session.get(Project, DEFAULT_DOMAIN) is None:
        session.add(Project(id=DEFAULT_DOMAIN, name="Default", domain_id=NO_DOMAIN, is_domain=True))
        session.flush()
    for name in ("admin", "service"):
        if _project(session, name) is None:
            row = Project(name=name, domain_id=DEFAULT_DOMAIN, parent_id=DEFAULT_DOMAIN)
            session.add(row)
            session.flush()
            session.add(ProjectAncestor(project_id=row.id, ancestor_id=DEFAULT_DOMAIN, distance=1))


def _project(session: Session, name: str) -> Project | None:
    return session.scalar(
        select(Project).where(
            Project.name == name, Project.domain_id == DEFAULT_DOMAIN, Project.is_domain == false()
        )
    )


def _roles(session: Session) -> None:
    rows = {r.name: r for r in session.scalars(select(Role).where(Role.domain_id == ""))}
    for name in ROLES:
        if name not in rows:
            rows[name] = Role(name=name)
            session.add(rows[name])
    session.flush()
    for prior, implied in ROLES.items():
        if implied and session.get(Implication, (rows[prior].id, rows[implied].id)) is None:
            session.add(Implication(prior_id=rows[prior].id, implied_id=rows[implied].id))
    closure.rewrite(session)


def _admin(session: Session, hashed: str | None) -> None:
    user = session.scalar(select(User).where(User.name == "admin", User.domain_id == DEFAULT_DOMAIN))
    if user is None:
        user = User(name="admin", domain_id=DEFAULT_DOMAIN, security_generation=0)
        session.add(user)
    if hashed is not None:
        session.flush()
        set_password(user, hashed)
    user.is_enabled = True
    session.flush()
    project, role = _project(session, "admin"), _role_id(session, "admin")
    ids = {"user_id": user.id, "project_id": project.id if project else ""}
    grant(session, Kind("project", "user"), ids, role)
    grant(session, Kind("system", "user"), ids, role)


def _role_id(session: Session, name: str) -> str:
    return session.scalars(select(Role.id).where(Role.name == name, Role.domain_id == "")).one()


def _catalog(session: Session, beginning: Beginning) -> None:
    if session.get(Region, beginning.region) is None:
        session.add(Region(id=beginning.region))
        session.flush()
    services = {s.type: s for s in session.scalars(select(Service).order_by(Service.id.desc()))}
    for kind, name, path in SERVICES:
        if kind not in services:
            services[kind] = Service(type=kind, name=name)
            session.add(services[kind])
            session.flush()
        _endpoints(session, services[kind].id, beginning.region, beginning.base_url + path)


def _endpoints(session: Session, service_id: str, region: str, url: str) -> None:
    present = select(Endpoint).where(Endpoint.service_id == service_id, Endpoint.region_id == region)
    rows = {row.interface: row for row in session.scalars(present)}
    for interface in INTERFACES:
        if interface in rows:
            rows[interface].url = url
        else:
            session.add(Endpoint(interface=interface, url=url, service_id=service_id, region_id=region))
