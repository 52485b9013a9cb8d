"""Processes that beat"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('processes',
    sa.Column('process_id', sa.String(length=40), nullable=False),
    sa.Column('host', sa.String(length=64), nullable=False),
    sa.Column('place', sa.String(length=120), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('started', sa.BigInteger(), nullable=False),
    sa.Column('beat', sa.BigInteger(), nullable=False),
    sa.Column('seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('process_id', name=op.f('pk_processes'))
    )


def downgrade() -> None:
    op.drop_table('processes')
