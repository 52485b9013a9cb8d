"""The run in force is found without reading the others, however many nights were scored"""

from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('value_runs', schema=None) as batch_op:
        batch_op.create_index(
            'ix_value_runs_newest', ['published', 'finished', 'scored_at', 'run_id'], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table('value_runs', schema=None) as batch_op:
        batch_op.drop_index('ix_value_runs_newest')
