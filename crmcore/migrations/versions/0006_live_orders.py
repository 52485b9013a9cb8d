"""Live orders: idempotency keys, and indexes for lists in pages"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

LISTINGS = {
    'conversations': ['opened_at', 'conversation_id'],
    'customers': ['created_at', 'customer_id'],
    'escalations': ['requested_at', 'escalation_id'],
    'needs': ['stated_at', 'need_id'],
    'offers': ['shown_at', 'offer_event_id'],
    'orders': ['ordered_at', 'order_id'],
    'returns': ['requested_at', 'return_id'],
}


def upgrade() -> None:
    op.create_table('idempotency_keys',
    sa.Column('key_id', sa.String(length=20), nullable=False),
    sa.Column('key_digest', sa.String(length=64), nullable=False),
    sa.Column('request_digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['key_id'], ['api_keys.key_id'], name=op.f('fk_idempotency_keys_key_id_api_keys')),
    sa.PrimaryKeyConstraint('key_id', 'key_digest', name=op.f('pk_idempotency_keys'))
    )
    op.create_index('ix_idempotency_keys_created', 'idempotency_keys', ['created_at'], unique=False)
    for table, columns in LISTINGS.items():
        op.create_index(f'ix_{table}_listing', table, columns, unique=False)


def downgrade() -> None:
    for table in LISTINGS:
        op.drop_index(f'ix_{table}_listing', table_name=table)
    op.drop_index('ix_idempotency_keys_created', table_name='idempotency_keys')
    op.drop_table('idempotency_keys')
