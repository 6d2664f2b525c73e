"""The way in: records from Kafka, positions and dead letters back to it."""
