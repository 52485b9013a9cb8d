"""Create every table"""

from alembic import op
import sqlalchemy as sa
import crmcore.store.types


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('decisions',
    sa.Column('decision_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('conversation_id', sa.String(length=40), nullable=True),
    sa.Column('outcome', sa.String(length=64), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('inputs', sa.JSON(), nullable=False),
    sa.Column('model_version', sa.String(length=64), nullable=False),
    sa.Column('firm_version', sa.Integer(), nullable=True),
    sa.Column('decided_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('decision_id', name=op.f('pk_decisions'))
    )
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.create_index('ix_decisions_customer', ['customer_id', 'decided_at'], unique=False)

    op.create_table('firm_versions',
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('applied_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('document', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_firm_versions')),
    sa.UniqueConstraint('digest', name=op.f('uq_firm_versions_digest'))
    )
    op.create_table('incidents',
    sa.Column('incident_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=True),
    sa.Column('detail', sa.String(length=400), nullable=False),
    sa.Column('at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('incident_id', name=op.f('pk_incidents'))
    )
    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.create_index('ix_incidents_kind', ['kind', 'at'], unique=False)

    op.create_table('jobs',
    sa.Column('job_id', sa.String(length=40), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('unique_key', sa.String(length=160), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('due_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('holder', sa.String(length=64), nullable=True),
    sa.Column('held_until', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.String(length=400), nullable=True),
    sa.Column('finished_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('job_id', name=op.f('pk_jobs')),
    sa.UniqueConstraint('unique_key', name=op.f('uq_jobs_unique_key'))
    )
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.create_index('ix_jobs_due', ['status', 'due_at'], unique=False)

    op.create_table('outbox',
    sa.Column('outbox_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('recipient', sa.String(length=320), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('sent_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('outbox_id', name=op.f('pk_outbox'))
    )
    op.create_table('sign_in_attempts',
    sa.Column('attempt_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('succeeded', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('attempt_id', name=op.f('pk_sign_in_attempts'))
    )
    with op.batch_alter_table('sign_in_attempts', schema=None) as batch_op:
        batch_op.create_index('ix_sign_in_attempts_subject', ['subject', 'at'], unique=False)

    op.create_table('staff',
    sa.Column('staff_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('role', sa.String(length=24), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False),
    sa.Column('on_duty', sa.Boolean(), nullable=False),
    sa.Column('last_seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('capacity', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('staff_id', name=op.f('pk_staff')),
    sa.UniqueConstraint('email', name=op.f('uq_staff_email'))
    )
    op.create_table('used_sign_in_tokens',
    sa.Column('token_digest', sa.String(length=64), nullable=False),
    sa.Column('expires_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('token_digest', name=op.f('pk_used_sign_in_tokens'))
    )
    op.create_table('value_runs',
    sa.Column('run_id', sa.String(length=40), nullable=False),
    sa.Column('model_version', sa.String(length=64), nullable=False),
    sa.Column('observed_until', sa.Date(), nullable=False),
    sa.Column('scored_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('horizon_days', sa.Integer(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('diagnostics', sa.JSON(), nullable=False),
    sa.Column('published', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('run_id', name=op.f('pk_value_runs'))
    )
    op.create_table('customers',
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=200), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('demographics', sa.JSON(), nullable=False),
    sa.Column('lifestyle', sa.JSON(), nullable=False),
    sa.Column('usage', sa.JSON(), nullable=False),
    sa.Column('account_manager_id', sa.String(length=64), nullable=True),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('terminated_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('termination', sa.JSON(), nullable=True),
    sa.ForeignKeyConstraint(['account_manager_id'], ['staff.staff_id'], name=op.f('fk_customers_account_manager_id_staff')),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_customers'))
    )
    op.create_table('staff_sessions',
    sa.Column('session_digest', sa.String(length=64), nullable=False),
    sa.Column('staff_id', sa.String(length=64), nullable=False),
    sa.Column('csrf_token', sa.String(length=64), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_staff_sessions_staff_id_staff')),
    sa.PrimaryKeyConstraint('session_digest', name=op.f('pk_staff_sessions'))
    )
    op.create_table('channel_identities',
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('external_id', sa.String(length=255), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('linked_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('first_seen_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_channel_identities_customer_id_customers')),
    sa.PrimaryKeyConstraint('channel', 'external_id', name=op.f('pk_channel_identities'))
    )
    op.create_table('consents',
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=32), nullable=False),
    sa.Column('granted', sa.Boolean(), nullable=False),
    sa.Column('decided_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('source', sa.String(length=160), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_consents_customer_id_customers')),
    sa.PrimaryKeyConstraint('customer_id', 'purpose', name=op.f('pk_consents'))
    )
    op.create_table('contacts',
    sa.Column('contact_id', sa.String(length=40), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('value', sa.String(length=320), nullable=False),
    sa.Column('normalized', sa.String(length=320), nullable=False),
    sa.Column('current', sa.Boolean(), nullable=False),
    sa.Column('changed_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('source_key', sa.String(length=160), nullable=True),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_contacts_customer_id_customers')),
    sa.PrimaryKeyConstraint('contact_id', name=op.f('pk_contacts')),
    sa.UniqueConstraint('source_key', name=op.f('uq_contacts_source_key'))
    )
    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.create_index('ix_contacts_customer', ['customer_id'], unique=False)
        batch_op.create_index('ix_contacts_normalized', ['kind', 'normalized'], unique=False)

    op.create_table('contracts',
    sa.Column('contract_id', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('product', sa.String(length=120), nullable=False),
    sa.Column('started_on', sa.Date(), nullable=False),
    sa.Column('renews_on', sa.Date(), nullable=True),
    sa.Column('fee_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('cancelled_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('cancel_reason', sa.String(length=400), nullable=True),
    sa.Column('source_key', sa.String(length=160), nullable=True),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_contracts_customer_id_customers')),
    sa.PrimaryKeyConstraint('contract_id', name=op.f('pk_contracts')),
    sa.UniqueConstraint('source_key', name=op.f('uq_contracts_source_key'))
    )
    with op.batch_alter_table('contracts', schema=None) as batch_op:
        batch_op.create_index('ix_contracts_customer', ['customer_id'], unique=False)

    op.create_table('conversations',
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('visitor_id', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('verified_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('owner_kind', sa.String(length=16), nullable=False),
    sa.Column('owner_id', sa.String(length=64), nullable=True),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('last_seq', sa.Integer(), nullable=False),
    sa.Column('turn_holder', sa.String(length=64), nullable=True),
    sa.Column('turn_until', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('bot_turns', sa.Integer(), nullable=False),
    sa.Column('brain_session', sa.Integer(), nullable=False),
    sa.Column('brain_notice', sa.String(length=32), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('mood', sa.String(length=16), nullable=False),
    sa.Column('open_case', sa.String(length=16), nullable=True),
    sa.Column('opened_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('last_message_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('closed_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('token_generation', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_conversations_customer_id_customers')),
    sa.ForeignKeyConstraint(['owner_id'], ['staff.staff_id'], name=op.f('fk_conversations_owner_id_staff')),
    sa.PrimaryKeyConstraint('conversation_id', name=op.f('pk_conversations'))
    )
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.create_index('ix_conversations_customer', ['customer_id', 'opened_at'], unique=False)
        batch_op.create_index('ix_conversations_owner', ['owner_kind', 'owner_id'], unique=False)
        batch_op.create_index('ix_conversations_visitor', ['visitor_id'], unique=False)

    op.create_table('current_values',
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('run_id', sa.String(length=40), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_current_values_customer_id_customers')),
    sa.ForeignKeyConstraint(['run_id'], ['value_runs.run_id'], name=op.f('fk_current_values_run_id_value_runs')),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_current_values'))
    )
    op.create_table('orders',
    sa.Column('order_id', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('ordered_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('margin_minor', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('status', sa.String(length=24), nullable=False),
    sa.Column('expected_on', sa.Date(), nullable=True),
    sa.Column('delivered_on', sa.Date(), nullable=True),
    sa.Column('tracking', sa.String(length=64), nullable=True),
    sa.Column('items', sa.JSON(), nullable=False),
    sa.Column('paid', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_orders_customer_id_customers')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('pk_orders'))
    )
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.create_index('ix_orders_customer', ['customer_id', 'ordered_at'], unique=False)

    op.create_table('service_costs',
    sa.Column('cost_id', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('incurred_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_service_costs_customer_id_customers')),
    sa.PrimaryKeyConstraint('cost_id', name=op.f('pk_service_costs'))
    )
    with op.batch_alter_table('service_costs', schema=None) as batch_op:
        batch_op.create_index('ix_service_costs_customer', ['customer_id'], unique=False)

    op.create_table('value_snapshots',
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('run_id', sa.String(length=40), nullable=False),
    sa.Column('frequency', sa.Integer(), nullable=False),
    sa.Column('recency', sa.Float(), nullable=False),
    sa.Column('T', sa.Float(), nullable=False),
    sa.Column('monetary_value', sa.Float(), nullable=True),
    sa.Column('p_alive', sa.Float(), nullable=False),
    sa.Column('expected_purchases', sa.Float(), nullable=False),
    sa.Column('clv_minor', sa.BigInteger(), nullable=False),
    sa.Column('cost_to_serve_minor', sa.BigInteger(), nullable=False),
    sa.Column('p_below_zero', sa.Float(), nullable=False),
    sa.Column('potential_minor', sa.BigInteger(), nullable=True),
    sa.Column('tier', sa.String(length=8), nullable=False),
    sa.Column('reasons', sa.JSON(), nullable=False),
    sa.Column('decision_id', sa.String(length=40), nullable=True),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_value_snapshots_customer_id_customers')),
    sa.ForeignKeyConstraint(['run_id'], ['value_runs.run_id'], name=op.f('fk_value_snapshots_run_id_value_runs')),
    sa.PrimaryKeyConstraint('customer_id', 'run_id', name=op.f('pk_value_snapshots'))
    )
    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.create_index('ix_value_snapshots_run', ['run_id', 'tier'], unique=False)

    op.create_table('callbacks',
    sa.Column('callback_id', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('source_key', sa.String(length=160), nullable=False),
    sa.Column('contact', sa.String(length=320), nullable=False),
    sa.Column('preferred_at', sa.String(length=200), nullable=False),
    sa.Column('promised_by', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('kept_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('kept_by', sa.String(length=64), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_callbacks_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_callbacks_customer_id_customers')),
    sa.ForeignKeyConstraint(['kept_by'], ['staff.staff_id'], name=op.f('fk_callbacks_kept_by_staff')),
    sa.PrimaryKeyConstraint('callback_id', name=op.f('pk_callbacks')),
    sa.UniqueConstraint('source_key', name=op.f('uq_callbacks_source_key'))
    )
    op.create_table('complaints',
    sa.Column('complaint_id', sa.String(length=40), nullable=False),
    sa.Column('reference', sa.String(length=16), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('source_key', sa.String(length=160), nullable=False),
    sa.Column('verbatim', sa.Text(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('opened_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('resolved_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_complaints_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_complaints_customer_id_customers')),
    sa.PrimaryKeyConstraint('complaint_id', name=op.f('pk_complaints')),
    sa.UniqueConstraint('reference', name=op.f('uq_complaints_reference')),
    sa.UniqueConstraint('source_key', name=op.f('uq_complaints_source_key'))
    )
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.create_index('ix_complaints_customer', ['customer_id', 'status'], unique=False)

    op.create_table('drafts',
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('staff_id', sa.String(length=64), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_drafts_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['staff_id'], ['staff.staff_id'], name=op.f('fk_drafts_staff_id_staff')),
    sa.PrimaryKeyConstraint('conversation_id', 'staff_id', name=op.f('pk_drafts'))
    )
    op.create_table('escalations',
    sa.Column('escalation_id', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('source_key', sa.String(length=160), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('decision_id', sa.String(length=40), nullable=False),
    sa.Column('assigned_to', sa.String(length=64), nullable=True),
    sa.Column('priority', sa.Float(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('requested_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('claimed_by', sa.String(length=64), nullable=True),
    sa.Column('ended_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['assigned_to'], ['staff.staff_id'], name=op.f('fk_escalations_assigned_to_staff')),
    sa.ForeignKeyConstraint(['claimed_by'], ['staff.staff_id'], name=op.f('fk_escalations_claimed_by_staff')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_escalations_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_escalations_customer_id_customers')),
    sa.ForeignKeyConstraint(['decision_id'], ['decisions.decision_id'], name=op.f('fk_escalations_decision_id_decisions')),
    sa.PrimaryKeyConstraint('escalation_id', name=op.f('pk_escalations')),
    sa.UniqueConstraint('source_key', name=op.f('uq_escalations_source_key'))
    )
    with op.batch_alter_table('escalations', schema=None) as batch_op:
        batch_op.create_index('ix_escalations_conversation', ['conversation_id'], unique=False)
        batch_op.create_index('ix_escalations_status', ['status', 'requested_at'], unique=False)

    op.create_table('messages',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('client_id', sa.String(length=64), nullable=False),
    sa.Column('sender', sa.String(length=16), nullable=False),
    sa.Column('sender_id', sa.String(length=64), nullable=True),
    sa.Column('sender_name', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('buttons', sa.JSON(), nullable=False),
    sa.Column('in_reply_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('payload', sa.String(length=400), nullable=True),
    sa.Column('intent', sa.String(length=64), nullable=True),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_messages_conversation_id_conversations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_messages')),
    sa.UniqueConstraint('conversation_id', 'client_id', name=op.f('uq_messages_conversation_id_client_id')),
    sa.UniqueConstraint('conversation_id', 'seq', name=op.f('uq_messages_conversation_id_seq')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.create_index('ix_messages_state', ['state', 'conversation_id'], unique=False)

    op.create_table('needs',
    sa.Column('need_id', sa.String(length=40), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('conversation_id', sa.String(length=40), nullable=True),
    sa.Column('source_key', sa.String(length=160), nullable=False),
    sa.Column('category', sa.String(length=64), nullable=False),
    sa.Column('product', sa.String(length=200), nullable=True),
    sa.Column('attributes', sa.JSON(), nullable=False),
    sa.Column('details', sa.JSON(), nullable=False),
    sa.Column('budget', sa.JSON(), nullable=True),
    sa.Column('quantity', sa.Integer(), nullable=True),
    sa.Column('timing', sa.JSON(), nullable=True),
    sa.Column('purpose', sa.String(length=200), nullable=True),
    sa.Column('location', sa.JSON(), nullable=False),
    sa.Column('probes', sa.JSON(), nullable=False),
    sa.Column('verbatim', sa.Text(), nullable=False),
    sa.Column('provenance', sa.String(length=32), nullable=False),
    sa.Column('confidence', sa.Float(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('stated_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.Column('updated_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_needs_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_needs_customer_id_customers')),
    sa.PrimaryKeyConstraint('need_id', name=op.f('pk_needs')),
    sa.UniqueConstraint('source_key', name=op.f('uq_needs_source_key'))
    )
    with op.batch_alter_table('needs', schema=None) as batch_op:
        batch_op.create_index('ix_needs_category', ['category', 'status'], unique=False)
        batch_op.create_index('ix_needs_customer', ['customer_id'], unique=False)

    op.create_table('offered_buttons',
    sa.Column('button_id', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('payload', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_offered_buttons_conversation_id_conversations')),
    sa.PrimaryKeyConstraint('button_id', name=op.f('pk_offered_buttons'))
    )
    with op.batch_alter_table('offered_buttons', schema=None) as batch_op:
        batch_op.create_index('ix_offered_buttons_conversation', ['conversation_id'], unique=False)

    op.create_table('returns',
    sa.Column('return_id', sa.String(length=64), nullable=False),
    sa.Column('order_id', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('requested_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.String(length=400), nullable=False),
    sa.Column('amount_minor', sa.BigInteger(), nullable=False),
    sa.Column('margin_minor', sa.BigInteger(), nullable=True),
    sa.Column('currency', sa.String(length=3), nullable=False),
    sa.Column('status', sa.String(length=24), nullable=False),
    sa.Column('source_key', sa.String(length=160), nullable=True),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_returns_customer_id_customers')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.order_id'], name=op.f('fk_returns_order_id_orders')),
    sa.PrimaryKeyConstraint('return_id', name=op.f('pk_returns')),
    sa.UniqueConstraint('source_key', name=op.f('uq_returns_source_key'))
    )
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.create_index('ix_returns_customer', ['customer_id'], unique=False)

    op.create_table('verification_codes',
    sa.Column('code_id', sa.String(length=40), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=True),
    sa.Column('contact_digest', sa.String(length=64), nullable=False),
    sa.Column('code_digest', sa.String(length=64), nullable=False),
    sa.Column('created_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('expires_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('used_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_verification_codes_conversation_id_conversations')),
    sa.PrimaryKeyConstraint('code_id', name=op.f('pk_verification_codes'))
    )
    with op.batch_alter_table('verification_codes', schema=None) as batch_op:
        batch_op.create_index('ix_verification_codes_contact', ['contact_digest', 'created_at'], unique=False)
        batch_op.create_index('ix_verification_codes_conversation', ['conversation_id', 'created_at'], unique=False)

    op.create_table('offers',
    sa.Column('offer_event_id', sa.String(length=40), nullable=False),
    sa.Column('offer', sa.String(length=64), nullable=False),
    sa.Column('customer_id', sa.String(length=64), nullable=False),
    sa.Column('conversation_id', sa.String(length=40), nullable=True),
    sa.Column('need_id', sa.String(length=40), nullable=True),
    sa.Column('decision_id', sa.String(length=40), nullable=False),
    sa.Column('source_key', sa.String(length=160), nullable=False),
    sa.Column('grant_key', sa.String(length=160), nullable=True),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('shown_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=False),
    sa.Column('answered_at', crmcore.store.types.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversations.conversation_id'], name=op.f('fk_offers_conversation_id_conversations')),
    sa.ForeignKeyConstraint(['customer_id'], ['customers.customer_id'], name=op.f('fk_offers_customer_id_customers')),
    sa.ForeignKeyConstraint(['decision_id'], ['decisions.decision_id'], name=op.f('fk_offers_decision_id_decisions')),
    sa.ForeignKeyConstraint(['need_id'], ['needs.need_id'], name=op.f('fk_offers_need_id_needs')),
    sa.PrimaryKeyConstraint('offer_event_id', name=op.f('pk_offers')),
    sa.UniqueConstraint('grant_key', name=op.f('uq_offers_grant_key')),
    sa.UniqueConstraint('source_key', name=op.f('uq_offers_source_key'))
    )
    with op.batch_alter_table('offers', schema=None) as batch_op:
        batch_op.create_index('ix_offers_customer', ['customer_id', 'shown_at'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('offers', schema=None) as batch_op:
        batch_op.drop_index('ix_offers_customer')

    op.drop_table('offers')
    with op.batch_alter_table('verification_codes', schema=None) as batch_op:
        batch_op.drop_index('ix_verification_codes_conversation')
        batch_op.drop_index('ix_verification_codes_contact')

    op.drop_table('verification_codes')
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.drop_index('ix_returns_customer')

    op.drop_table('returns')
    with op.batch_alter_table('offered_buttons', schema=None) as batch_op:
        batch_op.drop_index('ix_offered_buttons_conversation')

    op.drop_table('offered_buttons')
    with op.batch_alter_table('needs', schema=None) as batch_op:
        batch_op.drop_index('ix_needs_customer')
        batch_op.drop_index('ix_needs_category')

    op.drop_table('needs')
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_index('ix_messages_state')

    op.drop_table('messages')
    with op.batch_alter_table('escalations', schema=None) as batch_op:
        batch_op.drop_index('ix_escalations_status')
        batch_op.drop_index('ix_escalations_conversation')

    op.drop_table('escalations')
    op.drop_table('drafts')
    with op.batch_alter_table('complaints', schema=None) as batch_op:
        batch_op.drop_index('ix_complaints_customer')

    op.drop_table('complaints')
    op.drop_table('callbacks')
    with op.batch_alter_table('value_snapshots', schema=None) as batch_op:
        batch_op.drop_index('ix_value_snapshots_run')

    op.drop_table('value_snapshots')
    with op.batch_alter_table('service_costs', schema=None) as batch_op:
        batch_op.drop_index('ix_service_costs_customer')

    op.drop_table('service_costs')
    with op.batch_alter_table('orders', schema=None) as batch_op:
        batch_op.drop_index('ix_orders_customer')

    op.drop_table('orders')
    op.drop_table('current_values')
    with op.batch_alter_table('conversations', schema=None) as batch_op:
        batch_op.drop_index('ix_conversations_visitor')
        batch_op.drop_index('ix_conversations_owner')
        batch_op.drop_index('ix_conversations_customer')

    op.drop_table('conversations')
    with op.batch_alter_table('contracts', schema=None) as batch_op:
        batch_op.drop_index('ix_contracts_customer')

    op.drop_table('contracts')
    with op.batch_alter_table('contacts', schema=None) as batch_op:
        batch_op.drop_index('ix_contacts_normalized')
        batch_op.drop_index('ix_contacts_customer')

    op.drop_table('contacts')
    op.drop_table('consents')
    op.drop_table('channel_identities')
    op.drop_table('staff_sessions')
    op.drop_table('customers')
    op.drop_table('value_runs')
    op.drop_table('used_sign_in_tokens')
    op.drop_table('staff')
    with op.batch_alter_table('sign_in_attempts', schema=None) as batch_op:
        batch_op.drop_index('ix_sign_in_attempts_subject')

    op.drop_table('sign_in_attempts')
    op.drop_table('outbox')
    with op.batch_alter_table('jobs', schema=None) as batch_op:
        batch_op.drop_index('ix_jobs_due')

    op.drop_table('jobs')
    with op.batch_alter_table('incidents', schema=None) as batch_op:
        batch_op.drop_index('ix_incidents_kind')

    op.drop_table('incidents')
    op.drop_table('firm_versions')
    with op.batch_alter_table('decisions', schema=None) as batch_op:
        batch_op.drop_index('ix_decisions_customer')

    op.drop_table('decisions')

