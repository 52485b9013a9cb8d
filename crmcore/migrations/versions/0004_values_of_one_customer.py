"""Values of one customer, refreshed between two scorings"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('current_values', schema=None) as batch_op:
        batch_op.add_column(sa.Column('revision', sa.Integer(), nullable=False, server_default='0'))
    with op.batch_alter_table('current_values', schema=None) as batch_op:
        batch_op.alter_column('revision', server_default=None)

    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.add_column(sa.Column('revision', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('observed_until', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('scored_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('previous_tier', sa.String(length=8), nullable=True))
    for column in ('observed_until', 'scored_at'):
        op.execute(
            f'UPDATE value_snapshots SET {column} = (SELECT value_runs.{column} FROM value_runs '
            'WHERE value_runs.run_id = value_snapshots.run_id)'
        )
    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.alter_column('revision', server_default=None)
        batch_op.alter_column('observed_until', nullable=False)
        batch_op.alter_column('scored_at', nullable=False)
        batch_op.drop_constraint(op.f('pk_value_snapshots'), type_='primary')
        batch_op.create_primary_key(op.f('pk_value_snapshots'), ['customer_id', 'run_id', 'revision'])


def downgrade() -> None:
    op.execute('DELETE FROM value_snapshots WHERE revision > 0')
    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('pk_value_snapshots'), type_='primary')
        batch_op.create_primary_key(op.f('pk_value_snapshots'), ['customer_id', 'run_id'])
        batch_op.drop_column('previous_tier')
        batch_op.drop_column('scored_at')
        batch_op.drop_column('observed_until')
        batch_op.drop_column('revision')
    with op.batch_alter_table('current_values', schema=None) as batch_op:
        batch_op.drop_column('revision')
