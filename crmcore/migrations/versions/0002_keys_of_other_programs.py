"""Keys of other programs"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_keys',
    sa.Column('key_id', sa.String(length=20), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('scopes', sa.JSON(), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_api_keys'))
    )


def downgrade() -> None:
    op.drop_table('api_keys')
