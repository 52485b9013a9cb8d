"""Returns whose order is not known"""

from alembic import op
import sqlalchemy as sa


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.alter_column('order_id', existing_type=sa.String(length=64), nullable=True)


def downgrade() -> None:
    op.execute('DELETE FROM returns WHERE order_id IS NULL')
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.alter_column('order_id', existing_type=sa.String(length=64), nullable=False)
