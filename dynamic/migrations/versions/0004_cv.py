"""Tables of CVs, who may read them, who did, and accounts tied to people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from dynamic.database import exact

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cvs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("subject", exact(255), nullable=False, unique=True),
        sa.Column("name", sa.Unicode(200), nullable=False),
        sa.Column("email", sa.Unicode(320), nullable=False),
        sa.Column("degree", sa.String(20), nullable=False),
        sa.Column("field", sa.Unicode(120), nullable=False),
        sa.Column("graduation", sa.String(7), nullable=False),
        sa.Column("topics", sa.UnicodeText, nullable=False),
        sa.Column("availability", sa.String(80), nullable=False),
        sa.Column("available_from", sa.String(7), nullable=False),
        sa.Column("links", sa.UnicodeText, nullable=False),
        sa.Column("shown_to", sa.String(10), nullable=False),
        sa.Column("consent", sa.String(20), nullable=False),
        sa.Column("consented", sa.DateTime, nullable=False),
        sa.Column("object", exact(60), nullable=False, unique=True),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("file_name", sa.Unicode(200), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("pages", sa.Integer, nullable=True),
        sa.Column("text", sa.UnicodeText, nullable=False),
        sa.Column("warnings", sa.String(80), nullable=False),
        sa.Column("is_scanned", sa.Boolean, nullable=False),
        sa.Column("uploaded", sa.DateTime, nullable=False),
        sa.Column("expires", sa.DateTime, nullable=False),
        sa.Column("reminders", sa.Integer, nullable=False, server_default="0"),
        sa.Column("changed", sa.DateTime, nullable=False),
        sa.Column("leaving", sa.DateTime, nullable=True),
        sa.Column("unsettled", sa.DateTime, nullable=True),
    )
    op.create_index("ix_cvs_expires", "cvs", ["expires"])
    op.create_table(
        "cv_companies",
        sa.Column("cv_id", sa.String(32), sa.ForeignKey("cvs.id"), primary_key=True),
        sa.Column("company", sa.String(170), primary_key=True),
        sa.Column("choice", sa.String(10), nullable=False),
    )
    op.create_table(
        "cv_receipts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("cv_id", sa.String(32), sa.ForeignKey("cvs.id"), nullable=False, index=True),
        sa.Column("company", sa.String(170), nullable=False),
        sa.Column("opened", sa.DateTime, nullable=False),
        sa.Column("what", sa.String(4), nullable=False),
        sa.UniqueConstraint("cv_id", "company", "opened", "what", name="uq_cv_receipts_once"),
    )
    op.create_table(
        "cv_logs",
        sa.Column("file", sa.String(64), primary_key=True),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("read", sa.DateTime, nullable=False),
    )
    op.create_table(
        "account_people",
        sa.Column("subject", exact(255), primary_key=True),
        sa.Column("person_id", exact(255), nullable=False, index=True),
        sa.Column("tied_by", exact(255), nullable=False),
        sa.Column("tied", sa.DateTime, nullable=False),
    )


def downgrade() -> None:
    for table in ("account_people", "cv_logs", "cv_receipts", "cv_companies", "cvs"):
        op.drop_table(table)
