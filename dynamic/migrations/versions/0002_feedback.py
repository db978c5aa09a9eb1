"""Tables of feedback, and the views that the business database pulls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dynamic.database import exact

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("submission", exact(64), nullable=False),
        sa.Column("subject", exact(200), nullable=False, index=True),
        sa.Column("email", sa.Unicode(320), nullable=False, index=True),
        sa.Column("name", sa.Unicode(200), nullable=False),
        sa.Column("record_type", sa.Unicode(20), nullable=False, index=True),
        sa.Column("record_id", exact(400), nullable=False),
        sa.Column("record_title", sa.Unicode(2000), nullable=False),
        sa.Column("record_url", sa.Unicode(1000), nullable=False),
        sa.Column("rating", sa.Integer, nullable=True),
        sa.Column("text", sa.UnicodeText, nullable=False),
        sa.Column("wants_copy", sa.Boolean, nullable=False),
        sa.Column("release", sa.Integer, nullable=False),
        sa.Column("mailbox", sa.Unicode(320), nullable=False),
        sa.Column("state", sa.Unicode(20), nullable=False, index=True),
        sa.Column("note", sa.UnicodeText, nullable=False),
        sa.Column("build", sa.Integer, nullable=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made", sa.DateTime, nullable=False, index=True),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.UniqueConstraint("subject", "submission"),
    )
    op.create_table(
        "feedback_corrections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "feedback_id", sa.Integer, sa.ForeignKey("feedback.id"), nullable=False, index=True
        ),
        sa.Column("field", sa.Unicode(40), nullable=False),
        sa.Column("was", sa.UnicodeText, nullable=False),
        sa.Column("proposed", sa.UnicodeText, nullable=False),
        sa.Column("shown", sa.UnicodeText, nullable=True),
        sa.Column("shown_in", sa.Integer, nullable=True),
    )
    op.create_table(
        "feedback_steps",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(
            "feedback_id", sa.Integer, sa.ForeignKey("feedback.id"), nullable=False, index=True
        ),
        sa.Column("state", sa.Unicode(20), nullable=False),
        sa.Column("note", sa.UnicodeText, nullable=False),
        sa.Column("build", sa.Integer, nullable=True),
        sa.Column("by", exact(200), nullable=False, index=True),
        sa.Column("made", sa.DateTime, nullable=False),
    )
    # What others read keeps its names, whatever becomes of the tables: docs/service.md.
    op.execute(
        "CREATE VIEW inbox_feedback AS SELECT id, record_type, record_id, rating, text,"
        " wants_copy, subject AS account, email, name, state, build, note, release,"
        " made AS made_utc, changed AS changed_utc FROM feedback"
    )
    op.execute(
        "CREATE VIEW inbox_corrections AS SELECT id, feedback_id, field, was, proposed, shown,"
        " shown_in FROM feedback_corrections"
    )


def downgrade() -> None:
    op.execute("DROP VIEW inbox_corrections")
    op.execute("DROP VIEW inbox_feedback")
    op.drop_table("feedback_steps")
    op.drop_table("feedback_corrections")
    op.drop_table("feedback")
