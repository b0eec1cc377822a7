"""The accounts of researchers, for whoever runs the server."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..options import DATABASE_OR_URL
from ..output import Row, output

if TYPE_CHECKING:
    from ...experiments.store.connection import Connection

_HOURS = click.option(
    "--hours",
    type=click.FloatRange(0, 24 * 31, min_open=True),
    default=24.0,
    show_default=True,
    help="How long the one-time code lasts.",
)
WELCOME = "/researchers/welcome"


@click.group()
def accounts() -> None:
    """Make, list, reset and remove the accounts of researchers.

    Nobody has a default password, and no e-mail is sent: a one-time code, printed here,
    lets its owner set one on the server's page /researchers/welcome. All of it works
    while the server runs.

    \b
    Examples:
        yoked accounts create results.db jane --administrator
        yoked accounts list results.db --table
    """


@accounts.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.option(
    "--administrator", is_flag=True, help="They may everything, in every study."
)
@_HOURS
@output()
def create(db: Path | str, name: str, administrator: bool, hours: float) -> Row:
    """Make an account; print the one-time code with which a password is set.

    \b
    Example:
        yoked accounts create results.db jane --administrator
    """
    from ..accounts import accounts as people
    from ..accounts.file import opened_accounts
    from ..accounts.schema import now

    at = now()

    def make(connection: Connection) -> str:
        account = people.create(connection, None, name, at, administrator)
        return people.new_link(connection, None, account, at, hours)

    with opened_accounts(db, create=True) as opened:
        return _code(name, opened.write(make), hours)


@accounts.command("list")
@click.argument("db", type=DATABASE_OR_URL)
@output()
def list_(db: Path | str) -> list[Row]:
    """List the accounts.

    \b
    Example:
        yoked accounts list results.db --table
    """
    from ..accounts import accounts as people
    from ..accounts.file import opened_accounts

    with opened_accounts(db) as opened:
        return [asdict(each) for each in opened.read(people.every)]


@accounts.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.option(
    "--forget-app",
    is_flag=True,
    help="Ask for no code of an authenticator app any more: phone and codes are lost.",
)
@_HOURS
@output()
def reset(db: Path | str, name: str, forget_app: bool, hours: float) -> Row:
    """End an account's password and sign-ins; print a new one-time code.

    API tokens go on; their owner revokes them on the page of the account.

    \b
    Example:
        yoked accounts reset results.db jane
    """
    from ..accounts import accounts as people
    from ..accounts import authenticator
    from ..accounts.file import opened_accounts
    from ..accounts.schema import now

    at = now()

    def change(connection: Connection) -> str:
        account = people.named(connection, name)
        if forget_app:
            authenticator.forget(connection, None, account, at)
        return people.reset(connection, None, account, at, hours)

    with opened_accounts(db) as opened:
        return _code(name, opened.write(change), hours)


@accounts.command()
@click.argument("db", type=DATABASE_OR_URL)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def remove(db: Path | str, name: str, yes: bool) -> None:
    """Delete an account, with its roles and tokens; the audit log keeps its name.

    Studies and data stay. To shut somebody out for a while, disable the account on its
    page.

    \b
    Example:
        yoked accounts remove results.db jane
    """
    from ..accounts import accounts as people
    from ..accounts.file import opened_accounts
    from ..accounts.schema import now

    with opened_accounts(db) as opened:
        account = opened.read(lambda connection: people.named(connection, name))
        if not yes:
            click.confirm(f"Remove the account {account.name}?", abort=True, err=True)
        at = now()
        opened.write(lambda connection: people.remove(connection, None, account, at))
    click.echo(f"Removed the account {account.name}.", err=True)


def _code(name: str, token: str, hours: float) -> Row:
    return {
        "name": name,
        "one_time_code": token,
        "page": f"{WELCOME}#{token}",
        "hours": hours,
    }
