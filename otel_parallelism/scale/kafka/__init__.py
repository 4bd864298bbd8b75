"""Analyses the traces in a Kafka topic, each as soon as no span of it comes any more."""
