"""Every table of Rapport, ordered by topic.

Money is in integer minor units with its currency beside it, times are aware UTC, identifiers are
opaque text (``cnv_…``, ``need_…``) except for messages, whose integer ``id`` rises with time so that
a reader can ask "what is new since". The statements that create these tables live in ``migrations/``.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    true,
)

from crmcore.store.types import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives a rising row id only to a column declared plainly as INTEGER.
RisingId = BigInteger().with_variant(Integer, "sqlite")

# --- firm ------------------------------------------------------------------------------------

firm_versions = Table(
    "firm_versions",
    metadata,
    Column("version", RisingId, primary_key=True, autoincrement=True),
    Column("applied_at", UtcDateTime, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("document", Text, nullable=False),  # The firm.yml text as applied.
)

# --- customers -------------------------------------------------------------------------------

customers = Table(
    "customers",
    metadata,
    Column("customer_id", String(64), primary_key=True),  # The firm's own identifier.
    Column("name", String(200), nullable=False),  # Empty: imported without one.
    Column("language", String(8), nullable=False, default="en"),
    Column("demographics", JSON, nullable=False, default=dict),
    Column("lifestyle", JSON, nullable=False, default=dict),
    Column("usage", JSON, nullable=False, default=dict),
    Column("account_manager_id", String(64), ForeignKey("staff.staff_id"), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("terminated_at", UtcDateTime, nullable=True),
    Column("termination", JSON, nullable=True),  # reason, competitor, channel, value at exit.
    Index("ix_customers_listing", "created_at", "customer_id"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("contact_id", String(40), primary_key=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("kind", String(16), nullable=False),  # email, phone, address
    Column("value", String(320), nullable=False),
    Column("normalized", String(320), nullable=False),  # What look-ups compare.
    Column("current", Boolean, nullable=False, default=True),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("source_key", String(160), nullable=True, unique=True),
    Index("ix_contacts_normalized", "kind", "normalized"),
    Index("ix_contacts_customer", "customer_id"),
)

used_sign_in_tokens = Table(
    "used_sign_in_tokens",
    metadata,
    Column("token_digest", String(64), primary_key=True),  # Of the firm's token id; each is good once.
    Column("expires_at", UtcDateTime, nullable=False),  # Afterwards the row may go.
)

consents = Table(
    "consents",
    metadata,
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), primary_key=True),
    Column("purpose", String(32), primary_key=True),  # offers, contact, profiling, research
    Column("granted", Boolean, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("source", String(160), nullable=False),  # import, message:<id>, staff:<id>
)

# --- identify --------------------------------------------------------------------------------

verification_codes = Table(
    "verification_codes",
    metadata,
    Column("code_id", String(40), primary_key=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("customer_id", String(64), nullable=True),  # None: nobody has this contact; look the same.
    Column("contact_digest", String(64), nullable=False),
    Column("code_digest", String(64), nullable=False),  # Keyed digest; the code itself is never kept.
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("used_at", UtcDateTime, nullable=True),
    Index("ix_verification_codes_conversation", "conversation_id", "created_at"),
    Index("ix_verification_codes_contact", "contact_digest", "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("outbox_id", RisingId, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),  # verification_code, return_booked, …
    Column("recipient", String(320), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("body", Text, nullable=False),  # Deleted once sent: it may hold a code.
    Column("created_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime, nullable=True),
)

# --- orders, returns, service costs, contracts --------------------------------------------------

orders = Table(
    "orders",
    metadata,
    Column("order_id", String(64), primary_key=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("ordered_at", UtcDateTime, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("margin_minor", BigInteger, nullable=True),  # None: the firm's usual margin applies.
    Column("currency", String(3), nullable=False),
    Column("status", String(24), nullable=False),  # placed, shipped, delivered, cancelled
    Column("expected_on", Date, nullable=True),
    Column("delivered_on", Date, nullable=True),
    Column("tracking", String(64), nullable=True),
    Column("items", JSON, nullable=False, default=list),  # [{"product","quantity","amount_minor"}]
    Column("paid", Boolean, nullable=False, default=True),
    Index("ix_orders_customer", "customer_id", "ordered_at"),
    Index("ix_orders_listing", "ordered_at", "order_id"),
)

returns = Table(
    "returns",
    metadata,
    Column("return_id", String(64), primary_key=True),
    # None: a credit that was imported and does not say what came back.
    Column("order_id", String(64), ForeignKey("orders.order_id"), nullable=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("reason", String(400), nullable=False, default=""),
    Column("amount_minor", BigInteger, nullable=False),
    Column("margin_minor", BigInteger, nullable=True),
    Column("currency", String(3), nullable=False),
    Column("status", String(24), nullable=False),  # requested, received, refunded, refused
    Column("source_key", String(160), nullable=True, unique=True),
    Index("ix_returns_customer", "customer_id"),
    Index("ix_returns_listing", "requested_at", "return_id"),
)

service_costs = Table(
    "service_costs",
    metadata,
    Column("cost_id", String(64), primary_key=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("incurred_at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),  # contact, return, discount, service
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Index("ix_service_costs_customer", "customer_id"),
)

contracts = Table(
    "contracts",
    metadata,
    Column("contract_id", String(64), primary_key=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("product", String(120), nullable=False),  # A catalogue id, such as the club.
    Column("started_on", Date, nullable=False),
    Column("renews_on", Date, nullable=True),
    Column("fee_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("cancelled_at", UtcDateTime, nullable=True),
    Column("ends_on", Date, nullable=True),
    Column("cancel_reason", String(400), nullable=True),
    Column("source_key", String(160), nullable=True, unique=True),
    Index("ix_contracts_customer", "customer_id"),
)

# --- conversations ------------------------------------------------------------------------------

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", String(40), primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("visitor_id", String(64), nullable=False),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=True),
    Column("verified_at", UtcDateTime, nullable=True),
    Column("language", String(8), nullable=False),
    Column("owner_kind", String(16), nullable=False),  # bot, queue, account_manager, nobody
    Column("owner_id", String(64), ForeignKey("staff.staff_id"), nullable=True),
    Column("epoch", Integer, nullable=False, default=0),  # Rises with every change of owner.
    Column("last_seq", Integer, nullable=False, default=0),
    Column("turn_holder", String(64), nullable=True),  # Which process answers now,
    Column("turn_until", UtcDateTime, nullable=True),  # and until when it may.
    Column("bot_turns", Integer, nullable=False, default=0),  # Since the brain's session began.
    Column("brain_session", Integer, nullable=False, default=0),
    Column("brain_notice", String(32), nullable=True),  # What the brain must be told first.
    Column("failures", Integer, nullable=False, default=0),  # Not understood, in a row.
    Column("mood", String(16), nullable=False, default="neutral"),  # neutral, upset
    Column("open_case", String(16), nullable=True),  # complaint, cancelling
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_message_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("token_generation", Integer, nullable=False, default=0),  # Signing out raises it.
    Index("ix_conversations_owner", "owner_kind", "owner_id"),
    Index("ix_conversations_customer", "customer_id", "opened_at"),
    Index("ix_conversations_visitor", "visitor_id"),
    Index("ix_conversations_listing", "opened_at", "conversation_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", RisingId, primary_key=True, autoincrement=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("client_id", String(64), nullable=False),  # The sender's own; a repeat changes nothing.
    Column("sender", String(16), nullable=False),  # customer, bot, account_manager, system
    Column("sender_id", String(64), nullable=True),
    Column("sender_name", String(120), nullable=False, default=""),
    Column("kind", String(24), nullable=False, default="text"),  # text, mark (joined, left, closed …)
    Column("text", Text, nullable=False),
    Column("buttons", JSON, nullable=False, default=list),  # [{"id","title"}]
    Column("in_reply_to", RisingId, nullable=True),  # The customer message that a bot message answers.
    Column("epoch", Integer, nullable=False),
    Column("state", String(16), nullable=False, default="done"),  # pending, done, dropped
    Column("payload", String(400), nullable=True),  # What the pressed button means to the brain.
    Column("intent", String(64), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("conversation_id", "client_id"),
    Index("ix_messages_state", "state", "conversation_id"),
    sqlite_autoincrement=True,
)

offered_buttons = Table(
    "offered_buttons",
    metadata,
    Column("button_id", String(40), primary_key=True),  # Opaque and random: it is all a client sees.
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("payload", String(400), nullable=False),
    Index("ix_offered_buttons_conversation", "conversation_id"),
)

drafts = Table(
    "drafts",
    metadata,
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), primary_key=True),
    Column("staff_id", String(64), ForeignKey("staff.staff_id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("saved_at", UtcDateTime, nullable=False),
)

# --- channels of other programs ------------------------------------------------------------------------

channel_senders = Table(
    "channel_senders",
    metadata,
    Column("key_id", String(20), ForeignKey("api_keys.key_id"), primary_key=True),
    Column("sender", String(255), primary_key=True),  # The program's own name for the visitor, unverified.
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id"),
)

# An answer is a stretch of the log: what was said after ``after_seq`` and up to ``up_to_seq``. The stretches
# of a conversation follow one another, so nothing is answered twice and nothing is left out.
channel_answers = Table(
    "channel_answers",
    metadata,
    Column("message_id", RisingId, ForeignKey("messages.id"), primary_key=True),  # The customer's message.
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("after_seq", Integer, nullable=False),
    Column("up_to_seq", Integer, nullable=False),
    Index("ix_channel_answers_conversation", "conversation_id", "up_to_seq"),
)

socket_sessions = Table(
    "socket_sessions",
    metadata,
    Column("session_digest", String(64), primary_key=True),  # Of the random id that the client keeps.
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("generation", Integer, nullable=False),  # The conversation's, when the session began.
    Column("signed_in", Boolean, nullable=False),  # By the firm; resuming then needs its token too.
    Column("delivered_seq", Integer, nullable=False),  # What the client was given of the log.
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_socket_sessions_conversation", "conversation_id"),
    Index("ix_socket_sessions_seen", "seen_at"),
)

# --- needs ----------------------------------------------------------------------------------------

needs = Table(
    "needs",
    metadata,
    Column("need_id", String(40), primary_key=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=True),
    Column("source_key", String(160), nullable=False, unique=True),
    Column("category", String(64), nullable=False),
    Column("product", String(200), nullable=True),
    Column("attributes", JSON, nullable=False, default=dict),  # {attribute id: value id} of the catalogue.
    Column("details", JSON, nullable=False, default=list),  # What else it must be, in the customer's words.
    Column("budget", JSON, nullable=True),  # {"min_minor","max_minor","target_minor","currency","raw"}
    Column("quantity", Integer, nullable=True),
    Column("timing", JSON, nullable=True),  # {"raw","earliest","latest"}
    Column("purpose", String(200), nullable=True),
    Column("location", JSON, nullable=False, default=list),
    Column("probes", JSON, nullable=False, default=list),  # [[question, message id]] as asked.
    Column("verbatim", Text, nullable=False),
    Column("provenance", String(32), nullable=False),  # declared, estimated, imported
    Column("confidence", Float, nullable=False),
    Column("status", String(16), nullable=False),  # understood, open, met, withdrawn, contradicted
    Column("stated_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=True),
    Column("updated_at", UtcDateTime, nullable=False),
    Index("ix_needs_customer", "customer_id"),
    Index("ix_needs_category", "category", "status"),
    Index("ix_needs_listing", "stated_at", "need_id"),
)

# --- offers ---------------------------------------------------------------------------------------

offers = Table(
    "offers",
    metadata,
    Column("offer_event_id", String(40), primary_key=True),
    Column("offer", String(64), nullable=False),  # The catalogue id.
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=False),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=True),
    Column("need_id", String(40), ForeignKey("needs.need_id"), nullable=True),
    Column("decision_id", String(40), ForeignKey("decisions.decision_id"), nullable=False),
    Column("source_key", String(160), nullable=False, unique=True),
    Column("grant_key", String(160), nullable=True, unique=True),  # Set on accept: granted once.
    Column("status", String(16), nullable=False),  # shown, accepted, declined
    Column("shown_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime, nullable=True),
    Index("ix_offers_customer", "customer_id", "shown_at"),
    Index("ix_offers_listing", "shown_at", "offer_event_id"),
)

# --- complaints, escalation -------------------------------------------------------------------------

complaints = Table(
    "complaints",
    metadata,
    Column("complaint_id", String(40), primary_key=True),
    Column("reference", String(16), nullable=False, unique=True),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("source_key", String(160), nullable=False, unique=True),
    Column("verbatim", Text, nullable=False),
    Column("status", String(16), nullable=False),  # open, resolved
    Column("opened_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime, nullable=True),
    Index("ix_complaints_customer", "customer_id", "status"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("escalation_id", String(40), primary_key=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=True),
    Column("source_key", String(160), nullable=False, unique=True),
    Column("reason", String(32), nullable=False),  # request, value, failure, error
    Column("summary", Text, nullable=False, default=""),
    Column("decision_id", String(40), ForeignKey("decisions.decision_id"), nullable=False),
    Column("assigned_to", String(64), ForeignKey("staff.staff_id"), nullable=True),
    Column("priority", Float, nullable=False, default=0.0),
    Column("status", String(16), nullable=False),  # waiting, active, resolved
    Column("requested_at", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=True),
    Column("claimed_by", String(64), ForeignKey("staff.staff_id"), nullable=True),
    Column("ended_at", UtcDateTime, nullable=True),
    Index("ix_escalations_status", "status", "requested_at"),
    Index("ix_escalations_conversation", "conversation_id"),
    Index("ix_escalations_listing", "requested_at", "escalation_id"),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("callback_id", String(40), primary_key=True),
    Column("conversation_id", String(40), ForeignKey("conversations.conversation_id"), nullable=False),
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), nullable=True),
    Column("source_key", String(160), nullable=False, unique=True),
    Column("contact", String(320), nullable=False),
    Column("preferred_at", String(200), nullable=False),  # In the customer's words.
    Column("promised_by", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),  # promised, overdue, kept
    Column("created_at", UtcDateTime, nullable=False),
    Column("kept_at", UtcDateTime, nullable=True),
    Column("kept_by", String(64), ForeignKey("staff.staff_id"), nullable=True),
)

# --- staff --------------------------------------------------------------------------------------------

staff = Table(
    "staff",
    metadata,
    Column("staff_id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("email", String(320), nullable=False, unique=True),
    Column("role", String(24), nullable=False),  # account_manager, marketer, operator
    Column("password_hash", String(200), nullable=False),
    Column("on_duty", Boolean, nullable=False, default=False),
    Column("last_seen_at", UtcDateTime, nullable=True),
    Column("capacity", Integer, nullable=False, default=4),
    Column("active", Boolean, nullable=False, default=True),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("session_digest", String(64), primary_key=True),
    Column("staff_id", String(64), ForeignKey("staff.staff_id"), nullable=False),
    Column("csrf_token", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

sign_in_attempts = Table(
    "sign_in_attempts",
    metadata,
    Column("attempt_id", RisingId, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False),  # A keyed digest of the address that tried.
    Column("at", UtcDateTime, nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Index("ix_sign_in_attempts_subject", "subject", "at"),
)

# --- keys of other programs ----------------------------------------------------------------------------

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(20), primary_key=True),  # The part of the key that is no secret.
    Column("name", String(80), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of the whole key; the key itself is never kept.
    Column("scopes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime, nullable=True),
    Column("last_used_at", UtcDateTime, nullable=True),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key_id", String(20), ForeignKey("api_keys.key_id"), primary_key=True),
    Column("key_digest", String(64), primary_key=True),
    Column("request_digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_idempotency_keys_created", "created_at"),
)

# --- events and their receivers ----------------------------------------------------------------------------

events = Table(
    "events",
    metadata,
    Column("event_id", RisingId, primary_key=True, autoincrement=True),
    Column("webhook_id", String(40), nullable=False, unique=True),  # What receivers tell repeats by.
    Column("kind", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("facts", JSON, nullable=False),  # Identifiers, states and amounts; nobody's words.
    Index("ix_events_at", "at"),
    sqlite_autoincrement=True,
)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("endpoint_id", String(40), primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("events", JSON, nullable=False),  # The kinds that it gets.
    Column("created_at", UtcDateTime, nullable=False),
    Column("generation", Integer, nullable=False),  # Of its secret, which is stored nowhere.
    Column("previous_until", UtcDateTime, nullable=True),
    Column("failing_since", UtcDateTime, nullable=True),
    Column("failures", Integer, nullable=False),
    Column("retry_at", UtcDateTime, nullable=True),
    Column("disabled_at", UtcDateTime, nullable=True),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("delivery_id", RisingId, primary_key=True, autoincrement=True),
    Column("endpoint_id", String(40), ForeignKey("webhook_endpoints.endpoint_id"), nullable=False),
    Column("event_id", RisingId, ForeignKey("events.event_id"), nullable=False),
    Column("status", String(16), nullable=False),  # waiting, delivered, dead
    Column("attempts", Integer, nullable=False, default=0),
    Column("round", Integer, nullable=False, default=0),
    Column("last_error", String(200), nullable=True),
    Column("tried_at", UtcDateTime, nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("endpoint_id", "event_id"),
    Index("ix_webhook_deliveries_status", "endpoint_id", "status"),
    Index("ix_webhook_deliveries_event", "event_id"),
    sqlite_autoincrement=True,
)

# --- value and decisions ---------------------------------------------------------------------------------

value_runs = Table(
    "value_runs",
    metadata,
    Column("run_id", String(40), primary_key=True),
    Column("model_version", String(64), nullable=False),
    Column("observed_until", Date, nullable=False),
    Column("scored_at", UtcDateTime, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("parameters", JSON, nullable=False),  # Never changed once published: processes keep them.
    Column("diagnostics", JSON, nullable=False, default=list),
    Column("published", Boolean, nullable=False),
    # False while its snapshots are being written; whoever scores next goes on with it.
    Column("finished", Boolean, nullable=False, default=True, server_default=true()),
    Index("ix_value_runs_newest", "published", "finished", "scored_at", "run_id"),
)

value_snapshots = Table(
    "value_snapshots",
    metadata,
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), primary_key=True),
    Column("run_id", String(40), ForeignKey("value_runs.run_id"), primary_key=True),
    Column("revision", Integer, primary_key=True, default=0),  # 0 is the scoring's own; refreshes count up.
    Column("observed_until", Date, nullable=False),
    Column("scored_at", UtcDateTime, nullable=False),
    Column("previous_tier", String(8), nullable=True),  # What hysteresis looked at.
    Column("frequency", Integer, nullable=False),
    Column("recency", Float, nullable=False),
    Column("T", Float, nullable=False),
    Column("monetary_value", Float, nullable=True),
    Column("p_alive", Float, nullable=False),
    Column("expected_purchases", Float, nullable=False),
    Column("expected_spend", Float, nullable=True),
    Column("contribution_share", Float, nullable=True),
    Column("clv_minor", BigInteger, nullable=False),
    Column("clv_low_minor", BigInteger, nullable=True),
    Column("clv_high_minor", BigInteger, nullable=True),
    Column("clv_deviation_minor", BigInteger, nullable=True),
    Column("history_minor", BigInteger, nullable=True),
    Column("cost_to_serve_minor", BigInteger, nullable=False),
    Column("p_below_zero", Float, nullable=False),
    Column("potential_minor", BigInteger, nullable=True),
    Column("declared_potential_minor", BigInteger, nullable=True),
    Column("estimated_potential_minor", BigInteger, nullable=True),
    Column("peer_gap_minor", BigInteger, nullable=True),
    Column("tier", String(8), nullable=False),  # MVC, MGC, BZ, core
    Column("reasons", JSON, nullable=False),
    Column("decision_id", String(40), nullable=True),
    Index("ix_value_snapshots_run", "run_id", "tier"),
)

customer_traits = Table(
    "customer_traits",
    metadata,
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), primary_key=True),
    Column("trait", String(32), primary_key=True),  # switching, commitment, share_with_us, time, dimension
    Column("answer", String(32), nullable=False),
    Column("provenance", String(16), nullable=False),  # declared, estimated, imported
    Column("stated_at", UtcDateTime, nullable=False),
)

current_values = Table(
    "current_values",
    metadata,
    Column("customer_id", String(64), ForeignKey("customers.customer_id"), primary_key=True),
    Column("run_id", String(40), ForeignKey("value_runs.run_id"), nullable=False),
    Column("revision", Integer, nullable=False, default=0),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),  # tier, offer, escalation
    Column("customer_id", String(64), nullable=True),
    Column("conversation_id", String(40), nullable=True),
    Column("outcome", String(64), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),  # All that the pure function was given.
    Column("model_version", String(64), nullable=False),
    Column("firm_version", Integer, nullable=True),
    Column("decided_at", UtcDateTime, nullable=False),
    Index("ix_decisions_customer", "customer_id", "decided_at"),
)

# --- jobs ---------------------------------------------------------------------------------------------------

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("unique_key", String(160), nullable=False, unique=True),
    Column("payload", JSON, nullable=False, default=dict),
    Column("due_at", UtcDateTime, nullable=False),
    Column("status", String(16), nullable=False),  # waiting, running, done, failed
    Column("attempts", Integer, nullable=False, default=0),
    Column("holder", String(64), nullable=True),
    Column("held_until", UtcDateTime, nullable=True),
    Column("last_error", String(400), nullable=True),
    Column("finished_at", UtcDateTime, nullable=True),
    Index("ix_jobs_due", "status", "due_at"),
)

# --- processes ------------------------------------------------------------------------------------

processes = Table(
    "processes",
    metadata,
    Column("process_id", String(40), primary_key=True),  # The holder in a turn's lease begins with it.
    Column("host", String(64), nullable=False),
    Column("place", String(120), nullable=False),  # Where the number means something.
    Column("number", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),  # Ticks since the machine's start; 0: unknown.
    Column("part", String(16), nullable=False, server_default="gateway"),  # gateway, actions, worker
    Column("beat", BigInteger, nullable=False, default=0),  # Rises while it lives.
    Column("seen_at", UtcDateTime, nullable=True),
)

# --- counters ------------------------------------------------------------------------------

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", RisingId, primary_key=True, autoincrement=True),
    Column("kind", String(40), nullable=False),  # brain_down, brain_slow, action_failed, empty_turn, …
    Column("conversation_id", String(40), nullable=True),
    Column("detail", String(400), nullable=False, default=""),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_incidents_kind", "kind", "at"),
)
