"""What all roles come to when implications are followed to their end."""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from controller.identity.roles.model import EffectiveRole, Implication, Role


def rewrite(session: Session) -> None:
    """Writes the closure anew; a part of every verb that changes roles or implications.

    Roles of a domain are left out of what roles come to: they are names for what they imply, and a token never
    has them. Else one called admin would be taken for the cloud's.
    """
    session.flush()
    domains: dict[str, str] = {
        row.id: row.domain_id for row in session.execute(select(Role.id, Role.domain_id))
    }
    implications = session.execute(select(Implication.prior_id, Implication.implied_id)).all()
    every = closure(domains, [(row[0], row[1]) for row in implications])
    pairs = [(prior, implied) for prior, implied in every if not domains[implied]]
    session.execute(delete(EffectiveRole))
    if pairs:
        session.execute(
            insert(EffectiveRole), [{"prior_id": prior, "implied_id": implied} for prior, implied in pairs]
        )


def closure(roles: Iterable[str], implications: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """All (role, role that it comes to), each role coming to itself."""
    implied: dict[str, set[str]] = defaultdict(set)
    for prior, role in implications:
        implied[prior].add(role)
    pairs: list[tuple[str, str]] = []
    for role in roles:
        reached, ahead = {role}, [role]
        while ahead:
            for following in implied[ahead.pop()] - reached:
                reached.add(following)
                ahead.append(following)
        pairs.extend((role, other) for other in sorted(reached))
    return pairs
