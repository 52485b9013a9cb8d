"""Sessions of foreign chat widgets"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('socket_sessions',
    sa.Column('session_digest', sa.String(length=64), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('signed_in', sa.Boolean(), nullable=False),
    sa.Column('delivered_seq', sa.Integer(), nullable=False),
    sa.Column('seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_socket_sessions_conversation_id_conversations')),
    sa.PrimaryKeyConstraint('session_digest', name=op.f('pk_socket_sessions'))
    )
    op.create_index('ix_socket_sessions_conversation', 'socket_sessions', ['conversation_id'], unique=False)
    op.create_index('ix_socket_sessions_seen', 'socket_sessions', ['seen_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_socket_sessions_seen', table_name='socket_sessions')
    op.drop_index('ix_socket_sessions_conversation', table_name='socket_sessions')
    op.drop_table('socket_sessions')
