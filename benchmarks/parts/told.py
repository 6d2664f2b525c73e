"""A line for each run, so that who waits sees where it is."""

from benchmarks.rig import Outcome


def told(outcome: Outcome) -> Outcome:
    """The outcome, printed in a line."""
    step = "sends nothing" if outcome.out_of_step is None else f"{outcome.out_of_step} users out of step"
    print(
        f"  {outcome.contestant:24} {outcome.workload:12} {outcome.events_per_second:9,.0f} events/s "
        f"{outcome.microseconds_per_event:7.2f} µs CPU an event  {outcome.requests:5} requests "
        f"(fewest {outcome.fewest_requests})  {step}",
        flush=True,
    )
    return outcome
