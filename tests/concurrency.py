"""Calls that start together, for races; and coroutines from tests that are none."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that start together; an exception is returned in its place."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> object:
        gate.wait()
        try:
            return call()
        except Exception as error:  # noqa: BLE001 -- the caller judges what each call ended with.
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def in_a_loop_of_its_own[T](coroutine: Coroutine[object, object, T]) -> T:
    """Run the coroutine to its end in a thread: once a browser was started, this one has a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
