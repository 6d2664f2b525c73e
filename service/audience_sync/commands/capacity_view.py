"""What a load takes, in words: one object for programs, which the lines for people are made of."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from audience_sync.commands.terminal.output import View, output
from audience_sync.commands.terminal.words import counted, printable
from audience_sync.core.capacity import (
    Capacity,
    Catching,
    Costs,
    Load,
    Service,
    capacity,
    catching_up,
    most_users_per_second,
    quiet_seconds_that_suffice,
    unsettled_records,
    users_per_second,
)
from audience_sync.core.limits import USERS_PER_REQUEST
from audience_sync.core.pace import HEADROOM
from audience_sync.settings import PREFIX

LONGEST_QUIET: Final = 600.0
"""The longest quiet time that the settings allow."""


def told(
    load: Load, service: Service, costs: Costs, *, busy: float, outage_seconds: float, exponent: float
) -> dict[str, Any]:
    """Everything that is known, ready for JSON. Where there is no number, since it has no end: null."""
    found = capacity(load, service, costs, busy=busy)
    catching = catching_up(
        load,
        service,
        costs,
        outage_seconds=outage_seconds,
        replicas=found.replicas,
        partitions=found.partitions,
    )
    times = service.times
    return {
        "load": {
            "events_per_second": load.events_per_second,
            "zipf": round(exponent, 3),
            "distinct_users_within_a_minute": round(load.activity.distinct(60.0)),
            "events_per_second_of_the_busiest_user": _rounded(load.activity.busiest),
        },
        "suffices": found.late_seconds == 0,
        "replicas": found.replicas,
        "cores": _rounded(found.cores),
        "partitions": found.partitions,
        "requests": {
            endpoint.value: {
                "users_per_second": _rounded(traffic.users_per_second),
                "calls_per_second": _rounded(traffic.calls_per_second),
                "users_per_call": _rounded(traffic.per_call),
                "most_users_per_second": _rounded(most_users_per_second(service)),
                "suffices": traffic.suffices,
            }
            for endpoint, traffic in found.traffic.items()
        },
        "late_seconds": _rounded(found.late_seconds) if found.late_seconds < math.inf else None,
        "delay_seconds": {
            "after_quiet": _rounded(times.quiet_seconds + times.fill_seconds + service.answer_seconds),
            "at_most": _rounded(times.longest_wait_seconds + times.fill_seconds + found.late_seconds)
            if found.late_seconds < math.inf
            else None,
        },
        "waiting_users": round(found.waiting_users),
        "megabytes_per_replica": round(found.bytes_per_replica / 1e6),
        "outage": {
            "seconds": outage_seconds,
            "in_step_after_seconds": None if catching is None else _rounded(catching.seconds),
            "reading_seconds": None if catching is None else _rounded(catching.reading_seconds),
            "sending_seconds": None if catching is None else _rounded(catching.sending_seconds),
            "megabytes_per_replica": None if catching is None else round(catching.bytes_per_replica / 1e6),
        },
        "limits": list(_limits(load, service, costs, found, catching)),
    }


def show(found: Mapping[str, Any]) -> None:
    """Print what `told` has told."""
    view: View[tuple[str, Mapping[str, Any]]] = View(
        columns=("request", "users/s", "of at most", "calls/s", "users a call", "suffices"),
        rows=lambda each: [
            (
                each[0],
                f"{each[1]['users_per_second']:,.0f}",
                f"{each[1]['most_users_per_second']:,.0f}",
                f"{each[1]['calls_per_second']:,.1f}",
                f"{each[1]['users_per_call']:.1f}",
                "yes" if each[1]["suffices"] else "no",
            )
        ],
        fields=lambda _: {},
    )
    output(as_json=False).show(view, found["requests"].items())
    for limit in found["limits"]:
        print(printable(f"Limit: {limit}."))
    load, outage, delay = found["load"], found["outage"], found["delay_seconds"]
    print(
        f"{load['events_per_second']:,.12g} events a second, of {load['distinct_users_within_a_minute']:,} different "
        f"users within a minute; zipf {load['zipf']:g}."
    )
    print(
        f"{counted(found['replicas'], 'replica')} ({found['cores']:.2f} cores busy), "
        f"{counted(found['partitions'], 'partition')}, {found['megabytes_per_replica']:,} MB a replica; "
        f"{counted(found['waiting_users'], 'user')} waiting."
    )
    if found["late_seconds"] is None:
        print("The API's limit does not suffice, and users are later and later.")
    else:
        late = found["late_seconds"]
        print(
            "The API's limit "
            + (
                "suffices"
                if found["suffices"]
                else f"does not suffice: a ready user waits for {duration(late)}"
            )
            + f". In step {delay['after_quiet'] + late:,.1f} s after a user's last change, at most "
            f"{delay['at_most']:,.1f} s after his first."
        )
    after = outage["in_step_after_seconds"]
    reading, sending = outage["reading_seconds"], outage["sending_seconds"]
    print(
        f"After an outage of {duration(outage['seconds'])} "
        + (
            "users stay late: nothing is left to make it good with."
            if after is None
            else f"everybody is in step again within {duration(after)} (reading {duration(reading)}, sending "
            f"{duration(sending)}), with {outage['megabytes_per_replica']:,} MB a replica."
        )
    )


def duration(seconds: float) -> str:
    """As a person says it: 40 s, 12 min, 2.9 h."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def _limits(
    load: Load, service: Service, costs: Costs, found: Capacity, catching: Catching | None
) -> Iterator[str]:
    """What does not suffice, each as a sentence with what helps."""
    most = most_users_per_second(service)
    for endpoint in load.touched:
        if (wanted := users_per_second(load, service, endpoint)) > most:
            yield (
                f"{endpoint.value} would get {wanted:,.0f} users a second, and {service.calls_per_second:g} calls a "
                f"second allow {most:,.0f}: {wanted / USERS_PER_REQUEST / HEADROOM:,.0f} calls would suffice"
            )
    if found.late_seconds > 0:
        quiet = quiet_seconds_that_suffice(load, service, LONGEST_QUIET)
        yield (
            f"no quiet time up to {LONGEST_QUIET:g} s is long enough for the limit; ask the vendor for a higher one, "
            "or let fewer events become changes"
            if quiet is None
            else f"with {PREFIX}DEBOUNCE__QUIET_SECONDS={math.ceil(quiet)} or more the limit suffices, as more is "
            "folded; then users are as late as that on purpose"
        )
    needed = unsettled_records(load, service, found.late_seconds)
    per_partition = service.max_unsettled_records
    if found.late_seconds == math.inf:
        yield (
            f"{found.partitions} partitions may have {found.partitions * per_partition:,} unsettled records, too few "
            f"to fold enough: leave out --partitions to see how many it takes, or raise "
            f"{PREFIX}KAFKA__MAX_UNSETTLED_RECORDS"
        )
    elif service.partitions is None and found.partitions > 10 * found.replicas:
        yield (
            f"{needed:,.0f} records are unsettled at once; instead of {found.partitions:,} partitions, "
            f"{10 * found.replicas:,} do with {PREFIX}KAFKA__MAX_UNSETTLED_RECORDS="
            f"{math.ceil(needed / (10 * found.replicas))}, which is also how many are read again after a crash"
        )
    if found.wanted_replicas > found.replicas:
        yield (
            f"{found.wanted_replicas} replicas are needed, and {found.partitions} partitions give work to as many: "
            f"use {found.wanted_replicas} partitions"
        )
    fastest = 1 / costs.event_seconds
    if load.activity.busiest > fastest:
        yield (
            f"the busiest user alone has {load.activity.busiest:,.0f} events a second, all in one partition, and one "
            f"replica does {fastest:,.0f}: let his producer send less, or a smaller --zipf"
        )
    if catching is None and found.late_seconds == 0:
        yield (
            "what piles up in an outage can't be made good: what comes meanwhile takes all; use more partitions, or "
            "ask for a higher limit"
        )


def _rounded(number: float) -> float:
    return round(number, 2)
