"""The chart's own values, and which settings become values. `make docs` makes the chart's files of them."""

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Objects = list[dict[str, Any]]
"""As Kubernetes has them; its API says what is wrong in them."""
Texts = dict[str, str]


class Values(BaseModel):
    """Values that belong together."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        alias_generator=to_camel,
        populate_by_name=True,
    )


class Image(Values):
    """The image of service, emulator and tests."""

    repository: str = Field(default="audience-sync", min_length=1)
    """Where it is pulled from: what `make image` made, in a registry of yours."""

    tag: str = ""
    """Its tag. Empty: the chart's appVersion."""

    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """`sha256:...`: this very image, whatever the tag says by now. Empty: the tag decides."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When it is pulled."""

    pull_secrets: Objects = []
    """Secrets to pull with, as `[{name: ...}]`."""


class Credentials(Values):
    """Whose account calls the Chat API. The chart never makes a Secret, so that no key can end in a values file."""

    existing_secret: str = ""
    """Name of a Secret with the keys `app-id`, `admin` and `signing-key`; the last is mounted as a file. Required,
    but where `chat.appId` and `chat.signingKeyFile` say the same: a secret manager that writes files."""

    must_exist: bool = False
    """Refuse the installation if a Secret that is named anywhere is not there, instead of leaving pods that can't
    start. Needs the right to read Secrets, and a helm that talks to the cluster."""


class KafkaSecrets(Values):
    """Kafka's credentials, each mounted as files."""

    sasl_secret: str = ""
    """Name of a Secret with the keys `username` and `password`. Required with SASL, but for OAUTHBEARER, which has
    `kafka.saslTokenFile`."""

    ca_secret: str = ""
    """Name of a Secret with the key `ca.crt`: the authorities that brokers are checked against. Empty: those that
    the image knows."""

    client_secret: str = ""
    """Name of a Secret with the keys `tls.crt` and `tls.key`, as cert-manager writes them, where brokers ask for a
    certificate."""


class AdminSecrets(Values):
    """The operator's page."""

    token_secret: str = ""
    """Name of a Secret with the key `token`, mounted as a file: it opens the operator's page. Empty: no such page."""


class RegistrySecrets(Values):
    """The schema registry's credentials, each mounted as files."""

    basic_secret: str = ""
    """Name of a Secret with the keys `username` and `password`. Empty: no authentication."""

    ca_secret: str = ""
    """Name of a Secret with the key `ca.crt`. Empty: the well-known authorities."""


class Rollout(Values):
    """How pods are replaced. Each change of the group's members moves partitions."""

    max_unavailable: int = Field(default=1, ge=1)
    """So many pods may be away at once (Deployment). Never 0: a pod that is not ready would block what mends it."""

    max_surge: int = Field(default=0, ge=0)
    """So many pods may be there beyond `replicas` (Deployment). 0: partitions move once for each pod, not twice."""

    min_ready_seconds: int = Field(default=10, ge=0, le=600)
    """A pod that has been ready for so long counts as arrived; then the next one is replaced."""

    progress_deadline_seconds: int = Field(default=900, ge=60)
    """After so long without progress a rollout is said to have failed (Deployment). Nothing is undone."""

    revision_history_limit: int = Field(default=5, ge=0)
    """Old revisions that are kept."""


class Service(Values):
    """Where metrics, probes and status are reached inside the cluster, on port 8080."""

    annotations: Texts = {}
    """Its annotations."""


class Monitor(Values):
    """What the Prometheus operator scrapes."""

    enabled: bool = False
    """Whether there is one. Of ServiceMonitor and PodMonitor one at most: two would count everything twice."""

    interval: str = Field(default="15s", pattern=r"^([0-9]+(ms|s|m|h))+$")
    """How often metrics are asked for."""

    labels: Texts = {}
    """What the operator selects it by, such as `{release: prometheus}`."""


class Alerts(Values):
    """The alerts in the chart's `files/alerts.yaml`, for the Prometheus operator."""

    enabled: bool = False
    """Whether there is a PrometheusRule."""

    labels: Texts = {}
    """What the operator selects it by."""

    alert_labels: Texts = {}
    """Labels of each alert beyond its own, such as `{team: growth}`: what Alertmanager routes by."""


class Dashboard(Values):
    """The dashboard in the chart's `files/dashboard.json`, in a ConfigMap that Grafana's sidecar looks for."""

    enabled: bool = False
    """Whether there is one."""

    labels: Texts = {"grafana_dashboard": "1"}
    """What the sidecar looks for."""


class PodDisruptionBudget(Values):
    """How many pods may be evicted at once. One that is not ready may always be: what is away can't be disturbed."""

    enabled: bool = True
    """Whether there is one; with a single replica there is none, as it would either say nothing or block."""

    max_unavailable: int = Field(default=1, ge=1)
    """So many."""


class NetworkPolicy(Values):
    """Who may talk to the pods, and to whom they may. Addresses of the Chat API change: HTTPS may go everywhere."""

    enabled: bool = False
    """Whether there is one."""

    metrics_from: Objects = []
    """Peers that may reach the admin port, as in a NetworkPolicy's `from`. Empty: every pod of the cluster."""

    kafka_to: Objects = []
    """Peers that brokers are among. Empty: everywhere."""

    kafka_ports: list[int] = []
    """Ports of brokers. Empty: those of `kafka.bootstrapServers`. Brokers may announce others."""

    https_to: Objects = []
    """Peers that the Chat API, or a proxy to it, and the schema registry are among. Empty: everywhere."""

    https_ports: list[int] = []
    """Their ports. Empty: 443, and those of `chat.baseUrl` and `registry.url`."""

    egress: Objects = []
    """Further rules of egress, as in a NetworkPolicy."""


class Keda(Values):
    """For `autoscaling.by: keda`."""

    server_address: str = Field(default="", pattern=r"^(https?://.+)?$")
    """Prometheus: `http://prometheus.monitoring:9090`. Required."""

    query: str = ""
    """Another query than `audience_sync_shareable_records` of this release's pods, the least of the last two
    minutes."""

    authentication: str = ""
    """Name of a TriggerAuthentication for Prometheus. Empty: none."""

    polling_seconds: int = Field(default=30, ge=5)
    """How often Prometheus is asked."""


class Autoscaling(Values):
    """The number of replicas follows the backlog that more replicas would read sooner."""

    by: Literal["none", "hpa", "keda"] = "none"
    """`hpa`: a HorizontalPodAutoscaler on a pods metric, which an adapter must serve. `keda`: a ScaledObject, of
    which KEDA makes its own. One or the other: two would pull at the same replicas."""

    min_replicas: int = Field(default=2, ge=1)
    """Never fewer."""

    max_replicas: int = Field(default=8, ge=1)
    """Never more. Not above the partitions of a topic: the others would stand idle."""

    shareable_records: int = Field(default=50_000, ge=1)
    """A replica for each so many shareable records."""

    up_seconds: int = Field(default=120, ge=0, le=3600)
    """A backlog must last so long before there are more. Each new replica moves partitions."""

    down_seconds: int = Field(default=1800, ge=0, le=3600)
    """A backlog must be away for so long before there are fewer."""

    keda: Keda = Keda()


class ServiceAccount(Values):
    """The pods' account. Its token is never mounted: the service does not speak to Kubernetes."""

    create: bool = True
    """Whether the chart makes it."""

    name: str = ""
    """Its name. Empty: the release's; or `default`, if none is made."""

    annotations: Texts = {}
    """Such as the cloud role that a secret manager asks for."""


class Emulator(Values):
    """The emulated Chat API, for staging: calls go there, and nothing leaves the cluster."""

    enabled: bool = False
    """Whether it runs. App, administrator and key are those of `credentials.existingSecret`: made-up ones."""

    args: list[str] = []
    """Further options of `audience-sync emulate`, such as `[--calls-per-second, "20"]`."""

    resources: dict[str, Any] = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    """What it reserves and may use. It keeps its users in memory."""


class Tests(Values):
    """`helm test`: a pod that reaches the service, and looks at Kafka and the Chat API as the service would."""

    enabled: bool = True
    """Whether there is one."""


class Resources(BaseModel):
    """What the scheduler reserves and the kernel allows."""

    model_config = ConfigDict(frozen=True, extra="allow", use_attribute_docstrings=True)

    requests: dict[str, str | int | float]
    """What is reserved."""

    limits: dict[str, str | int | float]
    """What is allowed. Memory is required."""


class ChartValues(Values):
    """The chart's own values, at the top."""

    image: Image = Image()
    fullname_override: str = Field(default="", max_length=43, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")
    """The name of everything here. Empty: the release's."""

    workload: Literal["Deployment", "StatefulSet"] = "Deployment"
    """`StatefulSet`: replicas are static members of the consumer group, named after their pods. A pod that is back
    within `kafka.sessionTimeoutSeconds` gets its partitions again, and nobody else's move."""

    replicas: int = Field(default=2, ge=0)
    """How many replicas share the partitions. More than there are partitions in a topic stand idle. With
    autoscaling it counts only until there is a first measurement."""

    credentials: Credentials = Credentials()
    rules: str = ""
    """The rules, as YAML text: which changes an event causes. Empty: those in the chart's files/rules.yaml. Changed
    rules reach the pods without a restart; changed sources restart them."""

    rules_config_map: str = ""
    """Name of an existing ConfigMap with the key `rules.yaml`, instead of `rules`. After a change of its sources
    restart the pods yourself."""

    rollout: Rollout = Rollout()
    termination_grace_seconds: int = Field(default=0, ge=0)
    """How long a pod may take to stop before it is killed; above `drainSeconds`. 0: 15 more than that."""

    resources: Resources = Resources(requests={"cpu": "500m", "memory": "512Mi"}, limits={"memory": "1Gi"})
    """What the scheduler reserves and the kernel allows. Memory follows the users that wait and, after a restart,
    the records that are read again."""

    service: Service = Service()
    service_monitor: Monitor = Monitor()
    pod_monitor: Monitor = Monitor()
    prometheus_rule: Alerts = Alerts()
    dashboard: Dashboard = Dashboard()
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    network_policy: NetworkPolicy = NetworkPolicy()
    autoscaling: Autoscaling = Autoscaling()
    service_account: ServiceAccount = ServiceAccount()
    emulator: Emulator = Emulator()
    tests: Tests = Tests()

    extra_env: Objects = []
    """Further variables of the service, as in a pod. Secrets only by `valueFrom`."""

    extra_env_from: Objects = []
    """Further sources of variables, as in a pod."""

    extra_volumes: Objects = []
    """Further volumes, as in a pod: certificates, what a secret manager writes."""

    extra_volume_mounts: Objects = []
    """Where they are mounted."""

    annotations: Texts = {}
    """Annotations of the Deployment or StatefulSet."""

    pod_annotations: Texts = {}
    """Annotations of the pods."""

    pod_labels: Texts = {}
    """Labels of the pods."""

    priority_class_name: str = ""
    """The pods' priority class."""

    node_selector: Texts = {}
    """Nodes that pods may run on."""

    tolerations: Objects = []
    """Taints that pods put up with."""

    affinity: dict[str, Any] = {}
    """The pods' affinity."""

    topology_spread_constraints: Objects = [
        {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"},
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"},
    ]
    """How pods are spread over zones and nodes. One without a `labelSelector` gets this release's pods."""


BESIDE: Final[dict[str, type[Values]]] = {
    "admin": AdminSecrets,
    "kafka": KafkaSecrets,
    "registry": RegistrySecrets,
}
"""Values of the chart that stand beside the settings of these groups."""

GIVEN_BY_THE_CHART: Final = frozenset(
    {
        "admin.bind_port",  # the container's port, which probes and the Service name
        "kafka.instance_id",  # the pod's name, with a StatefulSet; one for all replicas would put them out in turn
        "rules_file",
    }
)
"""Settings that no value becomes; and none is made of secrets, which belong into Secrets."""

SHOWN: Final[dict[str, Any]] = {
    "kafka.bootstrap_servers": "",
    "kafka.group_id": ...,
    "kafka.security_protocol": ...,
    "kafka.sasl_mechanism": "",
    "chat.region": ...,
    "chat.base_url": "",
    "chat.family": ...,
    "debounce.quiet_seconds": ...,
    "debounce.longest_wait_seconds": ...,
    "registry.url": "",
    "log.level": ...,
    "log.shape": "json",
    "rules_reload_seconds": ...,
    "drain_seconds": ...,
}
"""Settings that values.yaml shows, with the chart's default; `...`: the service's own. The others have theirs."""
