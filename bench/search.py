"""REST lists of 50 found by text and sorted by name, against a hand-written Flask view over a full-text index of its own.

The words are rare (a few hits), middling (one in 200) and common (all); of the common one also page 10,000. Answers of both
sides are compared first.
"""

from __future__ import annotations

from bench.by_hand import PAGE, index_by_hand
from bench.lists import DEEP, Case, cursor_after, last_before, listed, time_case, token_of
from bench.serving import Client, served
from bench.setting import arguments, fill_customers, installed

CASES = {"one in 200": "city 1{nn}", "common word": "customer"}


def main() -> None:
    """Prints a line a case."""
    given = arguments(1_000_000)
    with installed(given.database) as (installation, workspace):
        token = token_of(installation, workspace)
        fill_customers(workspace, given.size)
        index_by_hand(installation, "bench")
        with served(installation, "bench", 1) as (our_port, their_port):
            ours, theirs = Client(our_port, {"Authorization": f"Bearer {token}"}), Client(their_port)
            print(f"{given.database}, {given.size} customers, {given.rounds} rounds")
            cases: list[Case] = [
                listed(title, {"q": text}, ("q", text))
                for title, text in ({"rare word": f"c{str(given.size // 2)[:-3]}{{nnn}}"} | CASES).items()
            ]
            common = {"q": CASES["common word"]}
            place = last_before(workspace, min(DEEP, given.size // PAGE // 2))
            after = {"cursor": cursor_after(ours, common, place)}
            cases.append(listed("common word, page 10,000", common | after, ("q", common["q"]), place))
            for case in cases:
                time_case(case, ours, theirs, given.rounds)


if __name__ == "__main__":
    main()
