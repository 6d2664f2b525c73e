# One image for the service, the emulator and the command line. `make image` builds it; docs/image.md tells what is in it.
# BASE needs Python 3.11 or later with venv. Both stages use it: the environment of the first runs in the second.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_QUIET=1
WORKDIR /src
COPY image/tools.txt image/packages.txt image/
RUN python3 -m venv /tools \
    && /tools/bin/pip install --require-hashes -r image/tools.txt \
    && python3 -m venv --without-pip /opt/audience-sync \
    && /tools/bin/pip --python /opt/audience-sync/bin/python install --no-compile --require-hashes -r image/packages.txt
ARG REVISION=""
ARG SOURCE_DATE_EPOCH=0
COPY pyproject.toml README.md LICENSE ./
COPY service service
# Our own package, the list of all packages, and times and compiled files that are the same in every build.
RUN printf %s "$REVISION" >service/audience_sync/revision \
    && /tools/bin/hatchling build --target wheel --directory /wheel \
    && /tools/bin/pip --python /opt/audience-sync/bin/python install --no-compile --no-deps /wheel/*.whl \
    && sed -i "s/^dynamic = .*/version = \"$(/tools/bin/hatchling version)\"/" pyproject.toml \
    && /tools/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml \
        --output-file /opt/audience-sync/sbom.cdx.json /opt/audience-sync/bin/python \
    && PYTHONHASHSEED=0 /opt/audience-sync/bin/python -m compileall -qf --invalidation-mode unchecked-hash /opt/audience-sync/lib \
    && find /opt/audience-sync -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM ${BASE}
ARG BASE
ARG REVISION=""
ARG VERSION=""
LABEL org.opencontainers.image.title="audience-sync" \
      org.opencontainers.image.description="Keeps user attributes and tags in Tencent Cloud Chat in step with the domain events in Kafka." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="${BASE}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /opt/audience-sync /opt/audience-sync
ENV PATH=/opt/audience-sync/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
# Live is enough to be left running; whether it is ready is asked of /readyz.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python3", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ.get('AUDIENCE_SYNC_ADMIN__BIND_PORT', '8080') + '/livez', timeout=2)"]
ENTRYPOINT ["audience-sync"]
CMD ["run"]
