#!/bin/sh
# As in the public image.
exec java -cp '/opt/kafka/libs/*' org.apache.kafka.tools.ConsoleProducer "$@"
