"""What a study keeps about its participants: a page for its ethics board, to print."""

from flask import Blueprint, render_template

from ....experiments.clock import utc_now
from ....experiments.store.url import name_of
from ...accounts import accounts as people
from ...accounts import roles
from ...accounts.roles import VIEWER
from ...studies.inventory import NOT_OF_PEOPLE, TABLES, elsewhere
from ..participate import the_host
from .blueprints import protected
from .entry import desk
from .login import Page
from .named import study_named

blueprint = protected(
    Blueprint(
        "researchers_inventory", __name__, url_prefix="/researchers/studies/<name>"
    )
)


@blueprint.get("/inventory")
def inventory(name: str) -> Page:
    """Say what is kept about a participant, why, how long, where, and who sees it."""
    kept = study_named(name, VIEWER)
    accounts, db_name = desk().accounts, name_of(the_host().db_path)
    everybody = accounts.read(people.every)
    return render_template(
        "researchers/inventory.html",
        kept=kept,
        at=utc_now(),
        db_name=db_name,
        tables=TABLES,
        others=NOT_OF_PEOPLE,
        elsewhere=elsewhere(kept.study, db_name),
        people=accounts.read(lambda db: roles.people_of(db, kept.key)),
        administrators=[each.name for each in everybody if each.is_administrator],
    )
