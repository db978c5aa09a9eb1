"""Tables that every part of the service uses: mails on their way out, and links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dynamic.database import exact

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("purpose", sa.Unicode(40), nullable=False),
        sa.Column("target", exact(255), nullable=False, index=True),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime, nullable=True, index=True),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", sa.Unicode(200), nullable=False, unique=True),
        sa.Column("recipient", sa.Unicode(320), nullable=False, index=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("due", sa.DateTime, nullable=False, index=True),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("sent", sa.DateTime, nullable=True, index=True),
        sa.Column("refused", sa.DateTime, nullable=True),
        sa.Column("problem", sa.UnicodeText, nullable=True),
    )


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_table("links")
