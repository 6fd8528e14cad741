import { expect, it } from "vitest";
import { expose } from "./exposition.ts";

it("writes families with their help, type and samples", () => {
  const text = expose([
    { name: "a_total", help: "Counts a.", type: "counter", samples: [{ labels: { x: "1", y: "" }, value: 2 }] },
    { name: "b", help: "Is b.", type: "gauge", samples: [{ value: 0.5 }] },
  ]);
  expect(text).toBe(
    '# HELP a_total Counts a.\n# TYPE a_total counter\na_total{x="1",y=""} 2\n# HELP b Is b.\n# TYPE b gauge\nb 0.5\n',
  );
});

it("escapes what would end a line or a value early", () => {
  const samples = [{ labels: { x: 'a"b\\c\nd' }, value: 1 }];
  expect(expose([{ name: "a", help: "one\ntwo \\", type: "gauge", samples }])).toBe(
    '# HELP a one\\ntwo \\\\\n# TYPE a gauge\na{x="a\\"b\\\\c\\nd"} 1\n',
  );
});
