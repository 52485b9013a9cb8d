"""Takes over a firm's records from elsewhere, all of them or none."""

from dataclasses import dataclass

from crmcore.crm import Crm
from crmcore.customers import Consent, Contact, Customer
from crmcore.needs import Need
from crmcore.orders import Contract, Order, Return
from crmcore.service_costs import ServiceCost


@dataclass(frozen=True)
class Records:
    """Customers with all that is known of them; whatever refers to a customer needs him in ``customers``."""

    customers: list[Customer]
    contacts: list[Contact]
    consents: list[Consent]
    orders: list[Order]
    returns: list[Return]
    contracts: list[Contract]
    service_costs: list[ServiceCost]
    needs: list[Need]


def has_customers(crm: Crm) -> bool:
    with crm.store.read() as tx:
        return tx.customers.any()


def load_records(crm: Crm, records: Records) -> None:
    """Write all records in one transaction; a record that is there already refuses the whole load."""
    with crm.store.write() as tx:
        tx.customers.add(*records.customers)
        tx.contacts.add(*records.contacts)
        tx.consents.add(*records.consents)
        tx.orders.add(*records.orders)
        for returned in records.returns:
            tx.orders.add_return(returned)
        for contract in records.contracts:
            tx.orders.add_contract(contract)
        tx.service_costs.add(*records.service_costs)
        for need in records.needs:
            tx.needs.add(need)


def assign_account_manager(crm: Crm, customer_ids: list[str], staff_id: str) -> None:
    """Give customers an account manager of their own."""
    with crm.store.write() as tx:
        for customer_id in customer_ids:
            tx.customers.assign(customer_id, staff_id)


def record_consents(crm: Crm, consents: list[Consent]) -> None:
    """Write decisions over earlier ones."""
    with crm.store.write() as tx:
        for consent in consents:
            tx.consents.decide(consent)
