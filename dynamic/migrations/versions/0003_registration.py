"""Tables of event registration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dynamic.database import exact

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registration_desks",
        sa.Column("event_id", exact(400), primary_key=True),
        sa.Column("capacity", sa.Integer, nullable=True),
        sa.Column("arrivals", sa.Integer, nullable=False, server_default="0"),
        sa.Column("closed", sa.DateTime, nullable=True),
        sa.Column("title", sa.Unicode(2000), nullable=False, server_default=""),
        sa.Column("ends", sa.DateTime, nullable=True, index=True),
        sa.Column("kept_days", sa.Integer, nullable=True),
        sa.Column("purged", sa.DateTime, nullable=True),
        sa.Column("changed", sa.DateTime, nullable=False),
    )
    op.create_table(
        "registrations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.String(32), nullable=False, unique=True),
        sa.Column(
            "event_id",
            exact(400),
            sa.ForeignKey("registration_desks.event_id"),
            nullable=False,
        ),
        sa.Column("subject", exact(255), nullable=False, index=True),
        sa.Column("email", sa.Unicode(320), nullable=False, index=True),
        sa.Column("name", sa.Unicode(200), nullable=False),
        sa.Column("affiliation", sa.Unicode(200), nullable=False, server_default=""),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("takes_place", sa.Boolean, nullable=False),
        sa.Column("arrived", sa.Integer, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.Column("offer_ends", sa.DateTime, nullable=True, index=True),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.Column("answers", sa.UnicodeText, nullable=True),
        sa.Column("sequence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("told", sa.UnicodeText, nullable=False),
        sa.UniqueConstraint("event_id", "subject", name="uq_registrations_event_subject"),
        sa.UniqueConstraint("event_id", "arrived", name="uq_registrations_event_arrived"),
    )
    op.create_index("ix_registrations_event_state", "registrations", ["event_id", "state"])
    op.create_table(
        "registration_transitions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "registration_id",
            sa.Integer,
            sa.ForeignKey("registrations.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("event_id", exact(400), nullable=False, index=True),
        sa.Column("before", sa.String(12), nullable=True),
        sa.Column("after", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("by", sa.String(12), nullable=False),
        sa.Column("actor", exact(255), nullable=False, server_default=""),
        sa.Column("note", sa.String(200), nullable=False, server_default=""),
    )
    op.create_table(
        "registration_mailings",
        sa.Column("nonce", sa.String(64), primary_key=True),
        sa.Column("event_id", exact(400), nullable=False, index=True),
        sa.Column("actor", exact(255), nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.Column("whom", sa.String(40), nullable=False),
        sa.Column("recipients", sa.Integer, nullable=False),
        sa.Column("title", sa.Unicode(200), nullable=False),
    )
    op.create_table(
        "registration_account_ties",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.Unicode(320), nullable=False),
        sa.Column("person_id", exact(400), nullable=False),
        sa.Column("actor", exact(255), nullable=False),
        sa.Column("made", sa.DateTime, nullable=False),
        sa.UniqueConstraint("email", "person_id", name="uq_registration_account_ties_email_person"),
    )


def downgrade() -> None:
    for table in (
        "registration_account_ties",
        "registration_mailings",
        "registration_transitions",
        "registrations",
        "registration_desks",
    ):
        op.drop_table(table)
