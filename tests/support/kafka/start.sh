#!/bin/sh
# The KAFKA_ variables become server.properties, the data folder is formatted once, and the broker runs.
set -eu
cd /opt/kafka
export CLASSPATH='/opt/kafka/libs/*'
if [ ! -e "$KAFKA_LOG_DIRS/meta.properties" ]; then
    java -Xmx128m kafka.docker.KafkaDockerWrapper setup \
        --default-configs-dir /opt/kafka --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config
fi
exec java $KAFKA_HEAP_OPTS -XX:+UseSerialGC -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties \
    kafka.Kafka /opt/kafka/config/server.properties
