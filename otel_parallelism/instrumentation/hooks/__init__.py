"""What framework modules use to patch: patches, targets, thread pools, and wrappers with the right lifetime."""
