"""Alembic environment for every owner (the core, each plugin, the control database); called with a connection by Trellis."""

import sqlalchemy as sa
from alembic import context
from trellis.records.types import BigId, FixedPoint, JsonData, UtcDateTime
from trellis.system import current_transaction

config = context.config
connection = config.attributes["connection"]
owner = config.attributes["owner"]
metadata = config.attributes.get("metadata")
prefix = "" if owner in ("core", "control") else f"{owner}_"


def ours(table: str) -> bool:
    """A plugin's tables start with its name; the core's are those that belong to no other owner, nor to the search."""
    others = ("core_search_", *config.attributes.get("others", ()))
    return table.startswith(prefix) if prefix else not table.startswith(others)


def include_name(name: str | None, type_: str, _parents: object) -> bool:
    """Looks only at the owner's own tables."""
    return type_ != "table" or (name is not None and ours(name))


def include_object(item: object, name: str | None, type_: str, _reflected: bool, _compare_to: object) -> bool:
    """Leaves out tables of other owners, and indexes of extension fields and of the search, made per workspace."""
    if type_ == "table":
        return ours(str(name))
    return not (type_ == "index" and str(name).startswith(("xf_", "search_")))


def render_item(type_: str, item: object, autogen_context: object) -> str | bool:
    """Spells our own types by their names, so that revisions say the same on both databases."""
    imports = autogen_context.imports
    named = {id(BigId): "BigId", id(JsonData): "JsonData"}
    if type_ == "type":
        spelled = named.get(id(item)) or _same_variant(item)
        if spelled is None and isinstance(item, FixedPoint | UtcDateTime):
            spelled = f"{type(item).__name__}()"
        if spelled is not None:
            imports.add("from trellis import types")  # what a plugin may import
            return f"types.{spelled}"
    argument = getattr(item, "arg", None)
    if type_ == "server_default" and isinstance(argument, current_transaction):
        imports.add("from trellis.system import current_transaction")
        return "current_transaction()"
    return False


def _same_variant(item: object) -> str | None:
    """The name of a shared type of which ``item`` is a copy."""
    if isinstance(item, sa.BigInteger) and "sqlite" in item._variant_mapping:
        return "BigId"
    if isinstance(item, sa.JSON) and "postgresql" in item._variant_mapping:
        return "JsonData"
    return None


context.configure(
    render_item=render_item,
    connection=connection,
    target_metadata=metadata,
    version_table=f"alembic_version_{owner}",
    include_name=include_name,
    include_object=include_object,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
