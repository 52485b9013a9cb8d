"""Visitors of other programs' channels

``channel_identities`` goes: nothing ever wrote it, and its column ``customer_id`` would have made a name that
another program claims into an identity.
"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table('channel_identities')
    op.create_table('channel_senders',
    sa.Column('key_id', sa.String(length=20), nullable=False),
    sa.Column('sender', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('first_seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_channel_senders_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['key_id'], ['api_keys.key_id'], name=op.f('fk_channel_senders_key_id_api_keys')),
    sa.PrimaryKeyConstraint('key_id', 'sender', name=op.f('pk_channel_senders')),
    sa.UniqueConstraint('conversation_id', name=op.f('uq_channel_senders_conversation_id'))
    )
    op.create_table('channel_answers',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('after_seq', sa.Integer(), nullable=False),
    sa.Column('up_to_seq', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_channel_answers_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_channel_answers_message_id_messages')),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_channel_answers'))
    )
    op.create_index('ix_channel_answers_conversation', 'channel_answers', ['conversation_id', 'up_to_seq'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_channel_answers_conversation', table_name='channel_answers')
    op.drop_table('channel_answers')
    op.drop_table('channel_senders')
    op.create_table('channel_identities',
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('external_id', sa.String(length=255), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('linked_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('first_seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_channel_identities_customer_id_customers')),
    sa.PrimaryKeyConstraint('channel', 'external_id', name=op.f('pk_channel_identities'))
    )
