#!/usr/bin/env bash
# Builds helm-unittest of the version given into the folder given. Its module replaces others, so `go install` refuses it:
# it is built from a copy of its source.
set -euo pipefail

version=$1 programs=$2
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
published=$(cd "$source" && go mod download -json "github.com/helm-unittest/helm-unittest@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$published" "$source/module"
chmod -R u+w "$source/module"
mkdir -p "$programs/new"
(cd "$source/module" && CGO_ENABLED=0 go build -trimpath -o "$programs/new/helm-unittest" ./cmd/helm-unittest)
mv "$programs/new/helm-unittest" "$programs/helm-unittest-$version"
