"""What a program with a token, or a page, may ask about the account itself."""

from flask import Blueprint, Response, jsonify

from ...accounts import roles
from .blueprints import protected
from .entry import desk, signed_in

blueprint = protected(
    Blueprint("researchers_api", __name__, url_prefix="/researchers/api"), by_token=True
)


@blueprint.get("/account")
def account() -> Response:
    """Give whose token it is, and the roles by the key of the study."""
    who = signed_in(by_token=True)
    found = desk().accounts.read(lambda db: roles.studies_of(db, who))
    return jsonify(name=who.name, is_administrator=who.is_administrator, roles=found)
