"""``python -m serve``: the gateway, the action server, the worker and Rasa, or some of them, until Ctrl-C."""

import argparse
import asyncio
import sys

from crmcore.errors import CrmError
from serve.errors import CannotStart
from serve.parts import PARTS
from serve.product import run
from serve.training import train_when_stale


def main() -> int:
    parser = argparse.ArgumentParser(prog="rapport run", description=__doc__)
    parser.add_argument(
        "--demo", action="store_true", help="load the demonstration firm once and show its shop page"
    )
    parser.add_argument(
        "--part",
        action="append",
        choices=PARTS,
        help="run this part alone; may be given again (default: all)",
    )
    parser.add_argument("--train-only", action="store_true", help="train when stale, then stop")
    arguments = parser.parse_args()
    try:
        if arguments.train_only:
            print(f"The assistant is trained: {train_when_stale().name}")
            return 0
        parts = tuple(part for part in PARTS if part in (arguments.part or PARTS))
        if arguments.demo and "gateway" not in parts:
            raise CannotStart("The demonstration's pages belong to the gateway: give --demo to that part.")
        return asyncio.run(run(parts, demo=arguments.demo))
    except (CannotStart, CrmError) as error:
        print(f"rapport: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
