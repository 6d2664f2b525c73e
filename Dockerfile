# One image for the service, the emulator and the command line.
# BASE needs Python 3.11 or later with venv. Both stages use it: the environment of the first runs in the second.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_BUILD_CONSTRAINT=/src/constraints.txt PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY constraints.txt pyproject.toml ./
RUN python3 -m venv /tools \
    && /tools/bin/pip install --quiet --upgrade pip -c constraints.txt \
    && python3 -m venv --without-pip /opt/audience-sync \
    && python3 -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; print(*p["dependencies"], *(each for extra in ("registry", "traces") for each in p["optional-dependencies"][extra]), sep="\n")' > needed.txt \
    && /tools/bin/pip --python /opt/audience-sync/bin/python install --quiet -c constraints.txt -r needed.txt
COPY README.md LICENSE ./
COPY service service
RUN /tools/bin/pip --python /opt/audience-sync/bin/python install --quiet --no-deps .

FROM ${BASE}
LABEL org.opencontainers.image.title="audience-sync" \
      org.opencontainers.image.description="Keeps user attributes and tags in Tencent Cloud Chat in step with the domain events in Kafka." \
      org.opencontainers.image.licenses="Apache-2.0"
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
