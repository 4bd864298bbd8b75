"""Runs a real Phoenix on free ports, and queries it as its own pages do."""

from __future__ import annotations

import base64
import contextlib
import json
import urllib.request
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .servers import free_port, program, responds, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "openinference.project.name"
DEFAULT = "default"
SPANS = """query ($condition: String) { projects { edges { node { id name
  spans(first: 500, filterCondition: $condition) { edges { node {
    name spanId attributes events { name } trace { traceId } } } } } } } }"""


class Phoenix:
    """A running server."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    def spans(self, condition: str | None = None) -> list[dict[str, Any]]:
        """Return the default project's spans that a filter condition selects; attributes are nested at their dots."""
        body = json.dumps({"query": SPANS, "variables": {"condition": condition}}).encode()
        request = urllib.request.Request(  # noqa: S310 - a server of the tests'
            f"{self.endpoint}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
            answer = json.load(response)
        assert "errors" not in answer, answer
        projects = [edge["node"] for edge in answer["data"]["projects"]["edges"] if edge["node"]["name"] == DEFAULT]
        nodes = [edge["node"] for project in projects for edge in project["spans"]["edges"]]
        return [{**node, "attributes": json.loads(node["attributes"])} for node in nodes]

    def project(self) -> str:
        """Return the address of the page of all spans."""
        request = urllib.request.Request(  # noqa: S310 - as above
            f"{self.endpoint}/graphql",
            b'{"query": "{projects{edges{node{id name}}}}"}',
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
            edges = json.load(response)["data"]["projects"]["edges"]
        (project,) = [edge["node"]["id"] for edge in edges if edge["node"]["name"] == DEFAULT]
        return f"{self.endpoint}/projects/{project}/spans?timeRangeKey=1h"

    def add(self, recording: Path, project: str) -> None:
        """Export the spans of a file of OTLP JSON to *project*, as protobuf."""
        request = ExportTraceServiceRequest()
        for line in recording.read_text(encoding="utf-8").splitlines():
            written = json.loads(line)
            for group in written["resourceSpans"]:
                group["resource"]["attributes"].append({"key": PROJECT, "value": {"stringValue": project}})
                for span in (span for scope in group["scopeSpans"] for span in scope["spans"]):
                    for each in (span, *span.get("links", ())):
                        each |= {
                            key: _base64(each[key]) for key in ("traceId", "spanId", "parentSpanId") if key in each
                        }
            request.MergeFrom(ParseDict(written, ExportTraceServiceRequest()))
        headers = {"Content-Type": "application/x-protobuf"}
        sent = urllib.request.Request(f"{self.endpoint}/v1/traces", request.SerializeToString(), headers)  # noqa: S310 - as above
        with urllib.request.urlopen(sent, timeout=30) as response:  # noqa: S310 - as above
            assert response.status == 200


def _base64(written: str) -> str:
    """Return the id as protobuf's JSON has it; OTLP's own has hex."""
    return base64.b64encode(bytes.fromhex(written)).decode()


@contextlib.contextmanager
def phoenix(folder: Path) -> Iterator[Phoenix]:
    """Run an empty Phoenix while the context is open."""
    ports = [free_port(), free_port()]
    made = Phoenix(ports[0])
    variables = {
        "PHOENIX_WORKING_DIR": str(folder / "phoenix"),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(ports[0]),
        "PHOENIX_GRPC_PORT": str(ports[1]),
        "PHOENIX_TELEMETRY_ENABLED": "false",
    }
    (folder / "phoenix").mkdir()
    # The first start compiles many modules.
    with running(
        [program("phoenix") or "", "serve"],
        lambda: responds(f"{made.endpoint}/healthz"),
        folder=folder,
        variables=variables,
        timeout_s=300,
    ):
        yield made
