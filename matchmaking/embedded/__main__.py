"""`python -m matchmaking.embedded`: run both servers until Ctrl-C, and print their addresses."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from matchmaking.embedded import client, keeper, refusals
from matchmaking.embedded.places import Places


def main(arguments: list[str]) -> int:
    match arguments:
        case ["keep", home, state, report, kind]:
            places, throwaway = Places(Path(home)), kind == "throwaway"
            with os.fdopen(int(report), "w") as pipe:
                try:
                    kept = keeper.Keeper(places, Path(state), throwaway=throwaway)
                except refusals.Refusal as refusal:
                    pipe.write(refusal.report())
                    return 1
                return kept.run(pipe)
        case []:
            client.provide()
            # Only now: the servers would inherit what is blocked. A handler, because a script's
            # `&` leaves SIGINT ignored, and what is ignored cannot be waited for.
            ends = {signal.SIGINT, signal.SIGTERM}
            signal.pthread_sigmask(signal.SIG_BLOCK, ends)
            for number in ends:
                signal.signal(number, signal.default_int_handler)
            for name in client.ADDRESSES:
                print(f"export {name}='{os.environ[name]}'", flush=True)
            signal.sigwait(ends)
            return 0
        case _:
            print("usage: python -m matchmaking.embedded", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
