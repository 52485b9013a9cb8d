"""Events and their receivers"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None

Moment = crmcore.store.types.UtcDateTime(timezone=True)
RisingId = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('events',
    sa.Column('event_id', RisingId, autoincrement=True, nullable=False),
    sa.Column('webhook_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('at', Moment, nullable=False),
    sa.Column('facts', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_events')),
    sa.UniqueConstraint('webhook_id', name=op.f('uq_events_webhook_id')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_events_at', 'events', ['at'], unique=False)
    op.create_table('webhook_endpoints',
    sa.Column('endpoint_id', sa.String(length=40), nullable=False),
    sa.Column('url', sa.String(length=2000), nullable=False),
    sa.Column('events', sa.JSON(), nullable=False),
    sa.Column('created_at', Moment, nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('previous_until', Moment, nullable=True),
    sa.Column('failing_since', Moment, nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('retry_at', Moment, nullable=True),
    sa.Column('disabled_at', Moment, nullable=True),
    sa.PrimaryKeyConstraint('endpoint_id', name=op.f('pk_webhook_endpoints'))
    )
    op.create_table('webhook_deliveries',
    sa.Column('delivery_id', RisingId, autoincrement=True, nullable=False),
    sa.Column('endpoint_id', sa.String(length=40), nullable=False),
    sa.Column('event_id', RisingId, nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(length=200), nullable=True),
    sa.Column('tried_at', Moment, nullable=True),
    sa.Column('created_at', Moment, nullable=False),
    sa.ForeignKeyConstraint(['endpoint_id'], ['webhook_endpoints.endpoint_id'], name=op.f('fk_webhook_deliveries_endpoint_id_webhook_endpoints')),
    sa.ForeignKeyConstraint(['event_id'], ['events.event_id'], name=op.f('fk_webhook_deliveries_event_id_events')),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_webhook_deliveries')),
    sa.UniqueConstraint('endpoint_id', 'event_id', name=op.f('uq_webhook_deliveries_endpoint_id_event_id')),
    sqlite_autoincrement=True
    )
    op.create_index('ix_webhook_deliveries_status', 'webhook_deliveries', ['endpoint_id', 'status'], unique=False)
    op.create_index('ix_webhook_deliveries_event', 'webhook_deliveries', ['event_id'], unique=False)


def downgrade() -> None:
    op.drop_table('webhook_deliveries')
    op.drop_table('webhook_endpoints')
    op.drop_table('events')
