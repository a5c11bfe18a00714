"""Words that the database remembers about itself, such as its own id."""

from sqlalchemy import String, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from controller.db.columns import Base, new_uuid

DATABASE_ID = "database_id"


class Mark(Base):
    """One remembered word."""

    __tablename__ = "marks"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(String(255))


def database_id(session: Session) -> str:
    """The id given to this database when it was made; hosts refuse to follow another one."""
    value = session.scalar(select(Mark.value).where(Mark.name == DATABASE_ID))
    if value is None:
        raise LookupError("the database was never set up: run 'controller-manage migrate'")
    return value


def ensure_database_id(session: Session) -> None:
    """Gives a new database its id."""
    if session.get(Mark, DATABASE_ID) is None:
        session.add(Mark(name=DATABASE_ID, value=new_uuid()))


def is_set(session: Session, name: str) -> bool:
    """Whether ``set_once`` was done for this name."""
    return session.scalar(select(Mark.name).where(Mark.name == name)) is not None


def set_once(session: Session, name: str) -> bool:
    """Notes that something was done which is done once; false when another one was faster."""
    try:
        with session.begin_nested():
            session.add(Mark(name=name, value="done"))
    except IntegrityError:
        return False
    return True


def lock(session: Session, name: str) -> None:
    """Makes verbs on what ``set_once`` was done for stand in line."""
    session.execute(
        update(Mark).where(Mark.name == name).values(value=new_uuid()),
        execution_options={"synchronize_session": False},
    )
