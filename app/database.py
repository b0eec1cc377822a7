"""The database of a server: the trial log, with the app's own tables beside it."""

from pathlib import Path

from ..experiments.store.sqlite import open_store
from ..experiments.store.trial_log import Store
from ..experiments.store.url import is_url
from .accounts.schema import migrations as accounts
from .studies.tables import migrations as studies

MIGRATIONS = (studies, accounts)


def open_database(place: str | Path, create: bool = True) -> Store:
    """Open the database of a server to write; arguments and errors of `open_store`."""
    return open_store(place, create=create, beside=MIGRATIONS)


def reader_of(store: Store, place: str | Path) -> Store:
    """Give what reads the app's tables while somebody writes.

    A file has one connection that writes: who only reads does not wait for its disk, by
    a connection of their own. A server's database has many.

    Parameters
    ----------
    store
        The database, open to write.
    place
        Where it is.
    """
    return store if is_url(place) else open_store(place, create=False, to_read=True)
