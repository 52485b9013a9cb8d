"""``make bench``: every measurement that needs no file and no environment of its own, one after the other."""

from bench import import_orders, latency, refusals, value_batch, value_card, value_recovery, value_refresh


def main() -> None:
    value_card.main()
    value_recovery.main()
    value_refresh.main()
    value_batch.main()
    latency.main()
    refusals.main()
    import_orders.main()


if __name__ == "__main__":
    main()
