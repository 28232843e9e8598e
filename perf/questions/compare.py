"""Which kept results differ beyond the noise? ``perf compare BEFORE.json AFTER.json [MORE…]``."""

from __future__ import annotations

import argparse

from bundlevisor.perf import options, page, results


def main(argv: list[str]) -> int:
    """Run ``python -m bundlevisor.perf compare``: each result against the first; nothing runs."""
    parser = argparse.ArgumentParser(prog="python -m bundlevisor.perf compare", description=__doc__)
    parser.add_argument("before", type=options.kept_result, help="a result kept by --json")
    parser.add_argument("after", type=options.kept_result, nargs="+", help="later ones")
    parser.add_argument("--html", type=options.new_file, metavar="FILE", help="write a page too")
    parsed = parser.parse_args(argv)
    every = [parsed.before, *parsed.after]
    if len({one.question for one in every}) > 1:
        asked = ", ".join(sorted({one.question for one in every}))
        parser.error(f"these are answers to different questions: {asked}")
    if parsed.html != "-":
        for later in parsed.after:
            print("\n".join(results.head(later)))
            print(results.compare_with(parsed.before, later) + "\n")
    if parsed.html:
        page.keep(every, parsed.html)
    return 0
