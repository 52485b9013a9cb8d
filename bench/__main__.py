"""``make bench``: every measurement, one after the other."""

from bench import latency, value_card


def main() -> None:
    value_card.main()
    latency.main()


if __name__ == "__main__":
    main()
