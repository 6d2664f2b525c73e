#!/usr/bin/env bash
# Installs what the whole test suite needs and this machine lacks: Java and Maven for the broker, podman for the
# containers, promtool and helm for what is deployed, Chromium for pages, PostgreSQL for Debezium. For root on Debian;
# safe to repeat. Others need Docker instead, for broker and containers.
set -euo pipefail

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

helm_version=v3.19.5
programs=${XDG_CACHE_HOME:-$HOME/.cache}/audience-sync/bin
if ! command -v helm >/dev/null && ! [ -x "$programs/helm-$helm_version" ]; then
    command -v go >/dev/null || { echo "neither helm nor go is here: install one of them" >&2; exit 1; }
    echo "building helm $helm_version: some minutes, once"
    mkdir -p "$programs"
    GOBIN=$programs/new go install "helm.sh/helm/v3/cmd/helm@$helm_version"
    mv "$programs/new/helm" "$programs/helm-$helm_version" && rmdir "$programs/new"
fi
