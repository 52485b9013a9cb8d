"""From the order log to tiers as relational algebra: one Ibis expression for every engine.

    logs        the order log -> the days on which each customer bought
    summaries   days and log -> one row a customer
    tables      what numpy tabulates: constants, the (frequency, age) grid, the normal law
    values      summary and tables -> what each customer is worth
    ranks       values -> the borders of the tiers, and the tier of every customer
    batch       the five in their order, on an engine

Nothing here runs a query or opens a connection: an engine does, and hands back Arrow.
"""
