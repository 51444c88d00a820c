"""${message}"""

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Forward only: a released version's database is never taken back."""
    ${upgrades if upgrades else "pass"}
