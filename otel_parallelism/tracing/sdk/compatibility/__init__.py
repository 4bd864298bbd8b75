"""
All access to private parts of OpenTelemetry's API and SDK.

No module outside of this folder reads or patches a private name of OpenTelemetry. Every module here says why no
public way serves. ``tests/tracing/sdk/test_compatibility.py`` checks each of them on the installed SDK.
"""
