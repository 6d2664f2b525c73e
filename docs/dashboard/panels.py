"""What the dashboard shows, from the question that is asked first to the one that is asked last."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

SELECTED: Final = 'namespace=~"$namespace", job=~"$job"'
"""Which deployment: chosen at the top of the dashboard."""


class Unit(StrEnum):
    """How values are written, in Grafana's words."""

    NUMBER = "short"
    SECONDS = "s"
    PER_SECOND = "cps"
    PART = "percentunit"


class Query(NamedTuple):
    """One question to Prometheus, and how its series are called; `{{label}}` is filled in."""

    expression: str
    legend: str


class Panel(NamedTuple):
    """One picture. says: what to read from it. is_figure: the last value, large, and no lines.

    bad_from: from this value on it is drawn as bad; None: there is no such value.
    """

    title: str
    says: str
    unit: Unit
    queries: Sequence[Query]
    is_figure: bool = False
    bad_from: float | None = None


class Row(NamedTuple):
    """Panels that answer one question."""

    question: str
    panels: Sequence[Panel]

    @property
    def is_of_figures(self) -> bool:
        """Whether its panels show a figure each: such a row is lower."""
        return self.panels[0].is_figure

    @property
    def across(self) -> int:
        """How many panels stand side by side."""
        return 6 if self.is_of_figures else 3


def _sum(series: str, by: str) -> str:
    return f"sum{f' by ({by})' if by else ''} ({series})"


def _all(metric: str, by: str = "") -> str:
    """The sum over all replicas."""
    return _sum(f"{metric}{{{SELECTED}}}", by)


def _rate(metric: str, by: str = "", **labels: str) -> str:
    """How many a second, over all replicas."""
    chosen = "".join(f", {name}{value}" for name, value in labels.items())
    return _sum(f"rate({metric}{{{SELECTED}{chosen}}}[$__rate_interval])", by)


def _quantile(part: float, metric: str, by: str = "", **labels: str) -> str:
    """Of a histogram, over all replicas."""
    return f"histogram_quantile({part}, {_rate(f'{metric}_bucket', f'le, {by}' if by else 'le', **labels)})"


ROWS: Final[Sequence[Row]] = (
    Row(
        "Is the audience in step?",
        (
            Panel(
                "Not ready",
                "Replicas that do not do their work. `/readyz` of each says why.",
                Unit.NUMBER,
                [Query(f"count(audience_sync_ready{{{SELECTED}}} == 0) or vector(0)", "")],
                is_figure=True,
                bad_from=1,
            ),
            Panel(
                "Oldest unsettled event",
                "How far the audience is behind. Normal: about the longest wait.",
                Unit.SECONDS,
                [Query(f"max(audience_sync_oldest_unsettled_seconds{{{SELECTED}}})", "")],
                is_figure=True,
                bad_from=300,
            ),
            Panel(
                "Unread records",
                "The backlog in Kafka.",
                Unit.NUMBER,
                [Query(_all("audience_sync_unread_records"), "")],
                is_figure=True,
                bad_from=10_000,
            ),
            Panel(
                "Waiting users",
                "Users with unsettled changes, in memory.",
                Unit.NUMBER,
                [Query(_all("audience_sync_waiting_users"), "")],
                is_figure=True,
            ),
            Panel(
                "Dead letters, a day",
                "What was given up. `audience-sync dead-letters list` shows it.",
                Unit.NUMBER,
                [Query(f"sum(increase(audience_sync_dead_letters_total{{{SELECTED}}}[1d]))", "")],
                is_figure=True,
                bad_from=1,
            ),
            Panel(
                "Stopped or paused",
                "Delivery has stopped until a person acts, or a person has paused something.",
                Unit.NUMBER,
                [Query(f"{_all('audience_sync_stopped')} + {_all('audience_sync_paused')}", "")],
                is_figure=True,
                bad_from=1,
            ),
        ),
    ),
    Row(
        "How fresh is it?",
        (
            Panel(
                "From event to confirmation",
                "Quiet time and filling are in it; what is above them is waiting for the API.",
                Unit.SECONDS,
                [
                    Query(_quantile(0.5, "audience_sync_delay_seconds"), "half of the users"),
                    Query(_quantile(0.99, "audience_sync_delay_seconds"), "99 of 100"),
                ],
            ),
            Panel(
                "Oldest unsettled event",
                "A straight line upwards: one event is held. A line that falls slowly: a backlog.",
                Unit.SECONDS,
                [Query(f"audience_sync_oldest_unsettled_seconds{{{SELECTED}}}", "{{instance}}")],
            ),
            Panel(
                "Waiting and ready users",
                "Ready for longer than the filling takes: the API is the limit.",
                Unit.NUMBER,
                [
                    Query(_all("audience_sync_waiting_users"), "waiting"),
                    Query(_all("audience_sync_ready_users", "endpoint"), "ready for {{endpoint}}"),
                ],
            ),
        ),
    ),
    Row(
        "What comes in?",
        (
            Panel(
                "Events",
                "Records read, by what became of them.",
                Unit.PER_SECOND,
                [Query(_rate("audience_sync_events_total", "outcome"), "{{outcome}}")],
            ),
            Panel(
                "Changes",
                "What events caused, and what was left to send after folding.",
                Unit.PER_SECOND,
                [
                    Query(_rate("audience_sync_changes_total", "kind"), "{{kind}}"),
                    Query(_rate("audience_sync_sent_changes_total"), "sent"),
                    Query(_rate("audience_sync_skipped_changes_total"), "skipped repeats"),
                    Query(_rate("audience_sync_late_changes_total"), "late"),
                ],
            ),
            Panel(
                "Unread records",
                "The backlog in Kafka, what of it more replicas would read sooner, and that of re-keyed topics.",
                Unit.NUMBER,
                [
                    Query(_all("audience_sync_shareable_records"), "for more replicas"),
                    Query(f"audience_sync_unread_records{{{SELECTED}}}", "{{instance}}"),
                    Query(
                        f"audience_sync_rekeying_unread_records{{{SELECTED}}} > 0", "{{instance}} to re-key"
                    ),
                ],
            ),
        ),
    ),
    Row(
        "What goes out?",
        (
            Panel(
                "Requests against the pace",
                "At the pace, the API is the limit: more replicas do not help.",
                Unit.PER_SECOND,
                [
                    Query(_rate("audience_sync_requests_total", "endpoint"), "{{endpoint}}"),
                    Query(f"max({_all('audience_sync_pace_calls_per_second', 'endpoint')})", "pace"),
                ],
            ),
            Panel(
                "Users a request",
                "Where at least a hundred were ready, it should be a hundred.",
                Unit.NUMBER,
                [
                    Query(
                        f"{_rate('audience_sync_users_per_request_sum', 'ready')}"
                        f" / {_rate('audience_sync_users_per_request_count', 'ready')}",
                        "{{ready}} ready",
                    )
                ],
            ),
            Panel(
                "Requests not confirmed",
                "slow_down: somebody else calls the same app. try_again: the API has trouble.",
                Unit.PER_SECOND,
                [
                    Query(
                        _rate("audience_sync_requests_total", "outcome", outcome='!="confirmed"'),
                        "{{outcome}}",
                    )
                ],
            ),
            Panel(
                "How long requests take",
                "99 of 100, by endpoint.",
                Unit.SECONDS,
                [Query(_quantile(0.99, "audience_sync_request_seconds", "endpoint"), "{{endpoint}}")],
            ),
            Panel(
                "Requests under way",
                "Bounded by AUDIENCE_SYNC_CHAT__MOST_IN_FLIGHT.",
                Unit.NUMBER,
                [Query(_all("audience_sync_requests_in_flight", "endpoint"), "{{endpoint}}")],
            ),
            Panel(
                "Codes of the Chat API",
                "Other than OK. The table of codes says what each means.",
                Unit.PER_SECOND,
                [Query(f"{_rate('audience_sync_errors_total', 'code')} > 0", "{{code}}")],
            ),
        ),
    ),
    Row(
        "Is anything given up, lost or out of order?",
        (
            Panel(
                "Users' parts, other than confirmed",
                "came_back is tried again; given_up stands in the dead letters.",
                Unit.PER_SECOND,
                [
                    Query(
                        _rate("audience_sync_parts_total", "outcome", outcome='!="confirmed"'), "{{outcome}}"
                    )
                ],
            ),
            Panel(
                "Dead letters",
                "By cause; and tries to write one that failed.",
                Unit.PER_SECOND,
                [
                    Query(f"{_rate('audience_sync_dead_letters_total', 'cause')} > 0", "{{cause}}"),
                    Query(_rate("audience_sync_dead_letter_failures_total"), "not written"),
                ],
            ),
            Panel(
                "Lost, or of uncertain order",
                "All three should be 0.",
                Unit.NUMBER,
                [
                    Query(
                        f"sum(increase(audience_sync_lost_records_total{{{SELECTED}}}[1h]))",
                        "lost in an hour",
                    ),
                    Query(
                        f"sum(increase(audience_sync_foreign_keys_total{{{SELECTED}}}[1h]))",
                        "foreign keys in an hour",
                    ),
                    Query(_all("audience_sync_users_on_two_numbers"), "users on two numbers"),
                ],
            ),
        ),
    ),
    Row(
        "Positions, the group, and what the rules need",
        (
            Panel(
                "Unsettled records",
                "What a restart would read again.",
                Unit.NUMBER,
                [Query(f"audience_sync_unsettled_records{{{SELECTED}}}", "{{instance}}")],
            ),
            Panel(
                "Partitions",
                "Each replica's, and those held after an assignment.",
                Unit.NUMBER,
                [
                    Query(f"audience_sync_partitions{{{SELECTED}}}", "{{instance}}"),
                    Query(_all("audience_sync_held_partitions"), "held"),
                ],
            ),
            Panel(
                "Commits and assignments",
                "Commits go on all the time: they are the lease.",
                Unit.PER_SECOND,
                [
                    Query(_rate("audience_sync_commits_total"), "commits"),
                    Query(_rate("audience_sync_commit_failures_total"), "failed commits"),
                    Query(_rate("audience_sync_assignments_total"), "assignments"),
                ],
            ),
            Panel(
                "Rules and schemas",
                "Rules files in an hour, replicas whose rules are outdated, schemas that are waited for.",
                Unit.NUMBER,
                [
                    Query(
                        f"sum by (outcome) (increase(audience_sync_rules_reloads_total{{{SELECTED}}}[1h]))",
                        "rules {{outcome}}",
                    ),
                    Query(_all("audience_sync_rules_outdated"), "outdated rules"),
                    Query(_all("audience_sync_wanted_schemas"), "wanted schemas"),
                    Query(
                        f"sum by (outcome) (increase(audience_sync_schema_fetches_total{{{SELECTED}}}[1h]))",
                        "schemas {{outcome}}",
                    ),
                ],
            ),
            Panel(
                "Secrets and certificates",
                "Changed files in an hour, and replicas that go on with the ones before.",
                Unit.NUMBER,
                [
                    Query(
                        "sum by (credential, outcome) "
                        f"(increase(audience_sync_rotations_total{{{SELECTED}}}[1h]))",
                        "{{credential}} {{outcome}}",
                    ),
                    Query(
                        f"sum by (credential) (audience_sync_credentials_outdated{{{SELECTED}}})",
                        "{{credential}} outdated",
                    ),
                ],
            ),
            Panel(
                "Re-keying",
                "Copies written to the topic keyed by the user, and failures that were tried again.",
                Unit.PER_SECOND,
                [
                    Query(_rate("audience_sync_rekeyed_copies_total", "topic"), "{{topic}}"),
                    Query(_rate("audience_sync_rekeying_failures_total"), "failures"),
                ],
            ),
            Panel(
                "Ready replicas",
                "A replica that is not ready does not block the others.",
                Unit.NUMBER,
                [Query(f"audience_sync_ready{{{SELECTED}}}", "{{instance}}")],
            ),
        ),
    ),
)
