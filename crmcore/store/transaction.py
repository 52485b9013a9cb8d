"""One transaction and its repositories, one a topic."""

from sqlalchemy import Connection

from crmcore.store.api_keys import ApiKeys
from crmcore.store.callbacks import Callbacks
from crmcore.store.channels import Channels
from crmcore.store.complaints import Complaints
from crmcore.store.consents import Consents
from crmcore.store.console import ConsoleReads
from crmcore.store.contacts import Contacts
from crmcore.store.conversations import Conversations
from crmcore.store.customers import Customers
from crmcore.store.decisions import Decisions
from crmcore.store.drafts import Drafts
from crmcore.store.escalations import Escalations
from crmcore.store.events import Events
from crmcore.store.firm import Firms
from crmcore.store.idempotency import IdempotencyKeys
from crmcore.store.identify import VerificationCodes
from crmcore.store.incidents import Incidents
from crmcore.store.jobs import Jobs
from crmcore.store.live import LiveReads
from crmcore.store.messages import Messages
from crmcore.store.needs import Needs
from crmcore.store.offers import Offers
from crmcore.store.orders import Orders
from crmcore.store.outbox import Outbox
from crmcore.store.processes import Processes
from crmcore.store.scorings import Scorings
from crmcore.store.service_costs import ServiceCosts
from crmcore.store.sockets import Sockets
from crmcore.store.staff import StaffMembers
from crmcore.store.value import Values
from crmcore.store.visits import Visits
from crmcore.store.webhooks import Webhooks
from crmcore.store.workspace import WorkspaceReads


class Transaction:
    """What a use case holds while it works; only ``Store.write`` commits it."""

    def __init__(self, connection: Connection) -> None:
        self.firm = Firms(connection)
        self.customers = Customers(connection)
        self.contacts = Contacts(connection)
        self.consents = Consents(connection)
        self.identify = VerificationCodes(connection)
        self.outbox = Outbox(connection)
        self.orders = Orders(connection)
        self.visits = Visits(connection)
        self.service_costs = ServiceCosts(connection)
        self.conversations = Conversations(connection)
        self.messages = Messages(connection)
        self.drafts = Drafts(connection)
        self.needs = Needs(connection)
        self.offers = Offers(connection)
        self.complaints = Complaints(connection)
        self.escalations = Escalations(connection)
        self.callbacks = Callbacks(connection)
        self.staff = StaffMembers(connection)
        self.api_keys = ApiKeys(connection)
        self.channels = Channels(connection)
        self.idempotency = IdempotencyKeys(connection)
        self.sockets = Sockets(connection)
        self.events = Events(connection)
        self.webhooks = Webhooks(connection)
        self.value = Values(connection)
        self.scorings = Scorings(connection)
        self.decisions = Decisions(connection)
        self.jobs = Jobs(connection)
        self.incidents = Incidents(connection)
        self.processes = Processes(connection)
        self.live = LiveReads(connection)  # Read only.
        self.workspace = WorkspaceReads(connection)  # Read only.
        self.console = ConsoleReads(connection)  # Read only.
