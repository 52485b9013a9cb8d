"""What a process that beats is there for"""

from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Until now only gateways beat.
    op.add_column('processes', sa.Column('part', sa.String(16), nullable=False, server_default='gateway'))


def downgrade() -> None:
    op.drop_column('processes', 'part')
