#!/usr/bin/env bash
# Installs what the whole test suite needs and this machine lacks: Java and Maven for the broker, podman for the
# containers, promtool and helm for what is deployed, Chromium for pages, PostgreSQL for Debezium. For root on Debian;
# safe to repeat. Others need Docker instead, for broker and containers. `prepare.sh kubernetes` builds a Kubernetes API
# server as well, from its published Go modules: half an hour of two cores, once.
set -euo pipefail
cd "$(dirname "$0")/../.."

declare -A package_of=(
    [java]=default-jre-headless [mvn]=maven [promtool]=prometheus [iptables]=iptables
    [podman]=podman [runc]=runc [debootstrap]=debootstrap [/usr/lib/podman/netavark]=netavark
    [/usr/lib/podman/aardvark-dns]=aardvark-dns [make]=make [git]=git
)
wanted=()
for program in "${!package_of[@]}"; do
    command -v "$program" >/dev/null || wanted+=("${package_of[$program]}")
done
if docker version >/dev/null 2>&1; then # it brings broker and containers
    wanted=()
    command -v promtool >/dev/null || wanted+=(prometheus)
    command -v java >/dev/null || wanted+=(default-jre-headless) # schema registry and Debezium are not among them
    command -v mvn >/dev/null || wanted+=(maven)
fi
command -v chromium >/dev/null || wanted+=(chromium)
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || wanted+=(fonts-noto-cjk) # or pages show boxes
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || wanted+=(postgresql)
if [ "${1:-}" = kubernetes ]; then
    command -v etcd >/dev/null || wanted+=(etcd-server)
    command -v openssl >/dev/null || wanted+=(openssl)
fi
python3 -c 'import ensurepip' 2>/dev/null || wanted+=(python3-venv)
if ((${#wanted[@]})); then
    echo "installing ${wanted[*]}"
    apt-get update -qq
    if [[ " ${wanted[*]} " == *" postgresql "* ]]; then # the tests make clusters of their own: the package makes none
        DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends postgresql-common >/dev/null
        sed -i 's/^#create_main_cluster = true/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "${wanted[@]}" >/dev/null
fi

cache=${XDG_CACHE_HOME:-$HOME/.cache}/audience-sync
programs=$cache/bin
go_is_here() {
    command -v go >/dev/null || { echo "go is not here, or not on the PATH, and $1 is made with it: install it" >&2; exit 1; }
}
builds() {
    go_is_here "$1"
    echo "building $1: some minutes, once"
    mkdir -p "$programs/new"
}

helm_version=v3.19.5
if ! command -v helm >/dev/null && ! [ -x "$programs/helm-$helm_version" ]; then
    builds "helm $helm_version"
    GOBIN=$programs/new go install "helm.sh/helm/v3/cmd/helm@$helm_version"
    mv "$programs/new/helm" "$programs/helm-$helm_version"
fi
helm_unittest_version=v1.1.2
if ! [ -x "$programs/helm-unittest-$helm_unittest_version" ]; then
    builds "helm-unittest $helm_unittest_version"
    tests/support/helm_unittest.sh "$helm_unittest_version" "$programs"
fi
if [ "${1:-}" = kubernetes ]; then
    go_is_here "the Kubernetes API server"
    [ -d "$cache/crds" ] || tests/support/kubernetes/crds.sh "$cache/crds"
    tests/support/kubernetes/build.sh "$programs"
fi
