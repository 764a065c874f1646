"""``trellis user``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import click

from trellis.cli.output import as_json, opened, print_json, print_table
from trellis.security import attempts
from trellis.security.actor import OPERATOR, SYSTEM
from trellis.security.identities import (
    add_user,
    change_email,
    find_user,
    list_users,
    reset_second_factor,
)
from trellis.security.tokens import Limits, new_token


@click.group()
def user() -> None:
    """People of a workspace."""


@user.command()
@click.argument("workspace")
@click.argument("email")
@click.option("--role", "roles", required=True, multiple=True, help="A role; may be given several times.")
@click.option("--name", default="", help="The person's name.")
@click.option("--password", default=None, help="A first password; asked for on a terminal when left out.")
def add(workspace: str, email: str, roles: tuple[str, ...], name: str, password: str | None) -> None:
    """Adds somebody who may sign in."""
    if password is None and sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with opened() as installation:
        add_user(installation, installation.workspace(workspace), email, name, roles, password)
    click.echo(f"added {email} to {workspace}")


@user.command(name="list")
@click.argument("workspace")
@as_json
def list_(workspace: str, json_: bool) -> None:
    """Lists the people of a workspace."""
    with opened() as installation:
        people = list_users(installation, installation.workspace(workspace))
    rows = [
        {"id": one.id, "email": one.email, "name": one.name, "roles": list(one.roles), "active": one.active}
        for one in people
    ]
    if json_:
        print_json(rows)
    else:
        print_table(
            ("E-mail", "Name", "Roles"), [(one.email, one.name, ", ".join(one.roles)) for one in people]
        )


@user.command()
@click.argument("workspace")
@click.argument("email")
@click.option("--title", default="", help="What the token is for.")
@click.option("--read-only", is_flag=True, help="It may read, and change nothing.")
@click.option("--entity", "entities", multiple=True, help="All it reaches; may be given several times.")
@click.option("--days", type=click.IntRange(1), default=None, help="It ends after so many days.")
def token(
    workspace: str, email: str, title: str, read_only: bool, entities: tuple[str, ...], days: int | None
) -> None:
    """Prints a new API token of a user; it is shown this once."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    with opened() as installation:
        limits = Limits(read_only, entities, expires_at)
        click.echo(new_token(installation.workspace(workspace), email, title, limits, OPERATOR))


@user.command()
@click.argument("workspace")
@click.argument("email")
def unlock(workspace: str, email: str) -> None:
    """Lets somebody sign in at once again after too many failed attempts."""
    with opened() as installation:
        find_user(installation.workspace(workspace), email)
        attempts.unlock(installation, email)
    click.echo(f"unlocked {email}")


@user.command()
@click.argument("workspace")
@click.argument("email")
@click.argument("new_email")
def rename(workspace: str, email: str, new_email: str) -> None:
    """Gives somebody another mail address; the sign-in moves with it."""
    with opened() as installation:
        place = installation.workspace(workspace)
        change_email(installation, place, find_user(place, email), new_email, SYSTEM)
    click.echo(f"renamed {email} to {new_email}")


@user.command(name="reset-second-factor")
@click.argument("workspace")
@click.argument("email")
def reset_second_factor_(workspace: str, email: str) -> None:
    """Forgets the app, passkeys and recovery codes of somebody who has lost them."""
    with opened() as installation:
        place = installation.workspace(workspace)
        find_user(place, email)
        reset_second_factor(installation, place, email, SYSTEM)
    click.echo(f"{email} signs in by the password alone now")
