"""Value in parts, with its interval; what customers answered of themselves"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

NEW = (
    'clv_low_minor',
    'clv_high_minor',
    'clv_deviation_minor',
    'history_minor',
    'declared_potential_minor',
    'estimated_potential_minor',
    'peer_gap_minor',
)


def upgrade() -> None:
    for column in NEW:
        op.add_column('value_snapshots', sa.Column(column, sa.BigInteger(), nullable=True))
    for column in ('expected_spend', 'contribution_share'):
        op.add_column('value_snapshots', sa.Column(column, sa.Float(), nullable=True))
    op.create_table('customer_traits',
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('trait', sa.String(length=32), nullable=False),
    sa.Column('answer', sa.String(length=32), nullable=False),
    sa.Column('provenance', sa.String(length=16), nullable=False),
    sa.Column('stated_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_customer_traits_customer_id_customers')),
    sa.PrimaryKeyConstraint('customer_id', 'trait', name=op.f('pk_customer_traits'))
    )


def downgrade() -> None:
    op.drop_table('customer_traits')
    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.drop_column('contribution_share')
        batch_op.drop_column('expected_spend')
        for column in reversed(NEW):
            batch_op.drop_column(column)
