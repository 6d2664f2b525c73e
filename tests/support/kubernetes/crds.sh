#!/usr/bin/env bash
# Copies the definitions of the objects that the chart makes for others' operators, from where they publish them.
set -euo pipefail

to=$1
declare -A of=(
    [github.com/prometheus-operator/prometheus-operator@v0.84.0]="example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml
        example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml
        example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"
    [github.com/kedacore/keda/v2@v2.17.2]="config/crd/bases/keda.sh_scaledobjects.yaml"
)
mkdir -p "$to.new"
for module in "${!of[@]}"; do
    folder=$(cd "$to.new" && GOFLAGS=-mod=mod go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    for file in ${of[$module]}; do
        install -m 644 "$folder/$file" "$to.new/"
    done
done
mv "$to.new" "$to"
