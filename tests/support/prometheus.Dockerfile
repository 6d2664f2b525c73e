# Prometheus as Debian builds it, started as the public image prom/prometheus starts, for machines that reach no image registry.
ARG BASE=debian:stable-slim
FROM ${BASE}
COPY prometheus /bin/prometheus
RUN mkdir /prometheus && chown 65534:65534 /prometheus
USER 65534:65534
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
