"""``python -m serve``: the gateway, the action server, the worker and Rasa, until Ctrl-C."""

import argparse
import asyncio
import sys

from crmcore.errors import CrmError
from serve.errors import CannotStart
from serve.product import run
from serve.training import train_when_stale


def main() -> int:
    parser = argparse.ArgumentParser(prog="rapport run", description=__doc__)
    parser.add_argument(
        "--demo", action="store_true", help="load the demonstration firm once and show its shop page"
    )
    parser.add_argument("--train-only", action="store_true", help="train when stale, then stop")
    arguments = parser.parse_args()
    try:
        if arguments.train_only:
            print(f"The assistant is trained: {train_when_stale().name}")
            return 0
        return asyncio.run(run(demo=arguments.demo))
    except (CannotStart, CrmError) as error:
        print(f"rapport: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
