"""A mistake is found before anything is installed, and named."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.support.helm import run_helm

REQUIRED: Final[dict[str, object]] = {
    "credentials.existingSecret": "chat",
    "kafka.bootstrapServers": "kafka:9092",
}

BY_THE_SCHEMA: Final[list[tuple[str, object, str]]] = [
    ("replica", 3, "a misspelt value"),
    ("kafka.groupID", "other", "a misspelt value of a group"),
    ("replicas", "3", "a number as text"),
    ("replicas", -1, "a negative count"),
    ("replicas", 2.5, "half a replica"),
    ("image.pullPolicy", "Sometimes", "a pull policy that is none"),
    ("image.repository", "", "no image"),
    ("image.digest", "sha256:abc", "half a digest"),
    ("workload", "DaemonSet", "a workload that is neither"),
    ("kafka.securityProtocol", "SSL_SASL", "a protocol that is none"),
    ("kafka.saslMechanism", "GSSAPI", "a mechanism that the service does not know"),
    ("kafka.saslPassword", "hunter2", "a password in the values"),
    ("kafka.instanceId", "one", "one name for all replicas"),
    ("chat.signingKey", "k", "a key in the values"),
    ("admin.token", "k" * 20, "a token in the values"),
    ("chat.region", "london", "a region that is none"),
    ("chat.baseUrl", "chat.example", "an address without its scheme"),
    ("chat.requestTimeoutSeconds", 3, "a time-out that is not above the server's"),
    ("chat.callsPerSecond", 0, "no calls at all"),
    ("debounce.quietSeconds", 601, "a quiet time above its range"),
    ("debounce.maxWaitingUsers", 99, "a bound below its range"),
    ("drainSeconds", -1, "a negative drain"),
    ("log.level", "TRACE", "a level that is none"),
    ("deadLetters.unsafeTopic", "ignore", "a choice that is none"),
    ("resources", {"requests": {}, "limits": {"memory": None}}, "memory without a limit"),
    ("rollout.maxUnavailable", 0, "a rollout that could never begin"),
    ("autoscaling.by", "both", "two autoscalers"),
    ("autoscaling.downSeconds", 7200, "longer than Kubernetes waits"),
    ("autoscaling.keda.serverAddress", "prometheus:9090", "Prometheus without its scheme"),
    ("serviceMonitor.interval", "15", "an interval without its unit"),
    ("podAnnotations", {"a": 1}, "an annotation that is no text"),
    ("extraEnv", {"A": "b"}, "variables as a map"),
    ("networkPolicy.kafkaPorts", ["9092"], "ports as text"),
    ("rules", {"sources": []}, "rules as a map"),
    ("settings", {"KAFKA__LEASE_SECONDS": 15}, "settings under their variables"),
    ("image", None, "a group taken away"),
]


@pytest.mark.parametrize(("path", "value", "_why"), BY_THE_SCHEMA, ids=[row[2] for row in BY_THE_SCHEMA])
def test_the_schema_refuses(helm: str, path: str, value: object, _why: str) -> None:
    """And names the value."""
    done = run_helm(helm, REQUIRED | {path: value})
    assert done.returncode != 0
    assert "values don't meet the specifications of the schema" in done.stderr
    assert path.split(".")[-1] in done.stderr


SASL: Final = REQUIRED | {"kafka.securityProtocol": "SASL_SSL", "kafka.saslMechanism": "SCRAM-SHA-512"}
BY_WORDS: Final[list[tuple[dict[str, object], str, str]]] = [
    ({"kafka.bootstrapServers": "kafka:9092"}, "name a Secret", "no credentials"),
    ({"credentials.existingSecret": "chat"}, "where are the brokers", "no brokers"),
    (REQUIRED | {"chat.appId": 1}, "one or the other", "an app id beside the Secret's"),
    (REQUIRED | {"debounce.quietSeconds": 60}, "must not be below", "quiet longer than the longest wait"),
    (REQUIRED | {"kafka.securityProtocol": "SASL_SSL"}, "kafka.saslMechanism", "SASL without a mechanism"),
    (SASL, "kafka.saslSecret", "SCRAM without a user"),
    (SASL | {"kafka.saslMechanism": "OAUTHBEARER"}, "kafka.saslTokenFile", "OAUTHBEARER without a token"),
    (REQUIRED | {"kafka.saslSecret": "user"}, "mean nothing", "a user whom nobody asks for"),
    (SASL | {"kafka.saslSecret": "a", "kafka.saslPasswordFile": "/b"}, "exclude each other", "two passwords"),
    (REQUIRED | {"kafka.caSecret": "a", "kafka.sslCaFile": "/b"}, "exclude each other", "two authorities"),
    (
        REQUIRED | {"emulator.enabled": True, "chat.baseUrl": "http://x"},
        "exclude each other",
        "two addresses of the Chat API",
    ),
    (REQUIRED | {"rules": "a", "rulesConfigMap": "b"}, "exclude each other", "rules twice"),
    (
        REQUIRED | {"serviceMonitor.enabled": True, "podMonitor.enabled": True},
        "exclude each other",
        "two monitors",
    ),
    (REQUIRED | {"rules": "sources: ["}, "no rules file", "rules that are no YAML"),
    (REQUIRED | {"rules": "rules: []"}, "it has no sources", "rules without sources"),
    (
        REQUIRED | {"drainSeconds": 40, "terminationGraceSeconds": 40},
        "must be above drainSeconds",
        "grace not above the drain",
    ),
    (
        REQUIRED | {"autoscaling.by": "hpa", "autoscaling.maxReplicas": 1},
        "must not be below",
        "fewer at most than at least",
    ),
    (REQUIRED | {"autoscaling.by": "keda"}, "where is Prometheus", "KEDA without Prometheus"),
    (
        REQUIRED | {"extraEnv": [{"name": "AUDIENCE_SYNC_CHAT__SIGNING_KEY", "value": "k"}]},
        "a secret must not stand in values",
        "a key as a variable",
    ),
    (
        REQUIRED | {"extraEnv": [{"name": "OTEL_EXPORTER_OTLP_HEADERS", "value": "k"}]},
        "a secret must not stand in values",
        "a key as a variable",
    ),
    (
        REQUIRED | {"extraEnv": [{"name": "AUDIENCE_SYNC_KAFKA__INSTANCE_ID", "value": "k"}]},
        "put each other out of the group",
        "one name for all replicas, as a variable",
    ),
    (
        {
            "kafka.bootstrapServers": "k:1",
            "emulator.enabled": True,
            "chat.appId": 1,
            "chat.signingKeyFile": "/k",
        },
        "takes its key from there",
        "an emulator without a key",
    ),
]


@pytest.mark.parametrize(("values", "said", "_why"), BY_WORDS, ids=[row[2] for row in BY_WORDS])
def test_the_chart_refuses(helm: str, values: Mapping[str, object], said: str, _why: str) -> None:
    """What each value allows and the whole does not; the message says the way out."""
    done = run_helm(helm, values)
    assert done.returncode != 0
    assert said in done.stderr
