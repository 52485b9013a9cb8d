"""``make bench``: every measurement, one after the other."""

from bench import import_orders, latency, value_card, value_recovery, value_refresh


def main() -> None:
    value_card.main()
    value_recovery.main()
    value_refresh.main()
    latency.main()
    import_orders.main()


if __name__ == "__main__":
    main()
