// Reads a JSON list of TraceQL queries from standard input and prints, for each, where the grammar finds an error:
// a list of [from, to], empty where it finds none.
import { parser } from "@grafana/lezer-traceql";

let input = "";
for await (const chunk of process.stdin) input += chunk;

const found = JSON.parse(input).map((query) => {
  const errors = [];
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) errors.push([node.from, node.to]);
    },
  });
  return errors;
});
console.log(JSON.stringify(found));
