"""Which bot a database is of: a name that it is given once, and that its journal carries as well.

Trades are known by their numbers, and the numbers begin at one in every database: what is kept
beside a database (its journal) is only understood together with it.
"""

import logging
import secrets

from pydantic import ValidationError

from ballast.core.guards.base import Memory
from ballast.risk.state_store import StateStore

logger = logging.getLogger(__name__)

ROW = "Identity"
_BYTES = 4


class _Row(Memory):
    identity: str


def known(store: StateStore) -> str | None:
    """The identity of a database; None where it has been given none."""
    row = store.rows().get(ROW)
    if row is None:
        return None
    try:
        return _Row.model_validate_json(row["memory"]).identity
    except ValidationError as error:
        logger.error("the identity of the database is unreadable and is replaced: %s", error)
        return None


def given(store: StateStore) -> str:
    """The identity of a database, which is made if there is none: eight hexadecimal digits."""
    identity = known(store)
    if identity is None:
        identity = secrets.token_hex(_BYTES)
        store.write(ROW, _Row(identity=identity).model_dump_json(), "")
    return identity


def has_run(store: StateStore) -> bool:
    """Whether a bot of this pack has run on a database before now."""
    return any(name != ROW for name in store.rows())
