#!/usr/bin/env bash
# Builds the image with Docker, buildah or podman, whichever is there. What is given is passed on to the build command.
# IMAGE, BASE, REVISION and SOURCE_DATE_EPOCH may be set; the commit and its time are asked of git where they are not.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' service/audience_sync/__init__.py)
images=("${IMAGE:-audience-sync:$version}")
[ -n "${IMAGE:-}" ] || images+=(audience-sync:latest)
if git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
    head=$(git rev-parse HEAD)
    [ -z "$(git status --porcelain -- Dockerfile .dockerignore image pyproject.toml service)" ] || head+=-changed
    REVISION=${REVISION-$head}
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=${REVISION:-}"
    --build-arg "SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH" "${images[@]/#/--tag=}")
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")

if docker version >/dev/null 2>&1; then
    docker build "${arguments[@]}" "$@" .
elif command -v buildah >/dev/null; then
    buildah build --format docker --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" "$@" .
elif command -v podman >/dev/null; then
    podman build --format docker --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" "$@" .
else
    echo "no Docker answers, and neither buildah nor podman is installed: one of them has to build the image" >&2
    exit 1
fi
echo "${images[0]}"
