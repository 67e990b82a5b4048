import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as protocol from "../../src/init/protocol.js";

/** Frame.HELLO of protocol.ts is FRAME_HELLO of protocol.h. */
function nameInC(group: string, member: string): string {
  const prefix = group.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return `${prefix}_${member}`;
}

function constantsOfTypeScript(): Map<string, number> {
  const constants = new Map<string, number>();
  for (const [name, value] of Object.entries<number | Readonly<Record<string, number>>>(protocol)) {
    if (typeof value === "number") constants.set(name, value);
    else for (const [member, number] of Object.entries(value)) constants.set(nameInC(name, member), number);
  }
  return constants;
}

const header = readFileSync(new URL("../../src/native/protocol.h", import.meta.url), "utf8");

function constantsOfC(): Map<string, number> {
  const entries = [...header.matchAll(/^\s*X \((\w+), ([^()]+)\)/gm)].map(([, name, value]) => {
    assert.ok(name !== undefined && value !== undefined);
    return [name, product(value)] as const;
  });
  assert.equal(new Set(entries.map(([name]) => name)).size, entries.length, "no name stands there twice");
  return new Map(entries);
}

/** The value of `4 * 1024`, or of a decimal or hexadecimal number. */
function product(expression: string): number {
  const factors = expression.trim().split(/\s*\*\s*/);
  for (const factor of factors) assert.match(factor, /^(0x[0-9a-f]+|0|[1-9][0-9]*)$/i);
  return factors.map(Number).reduce((left, right) => left * right);
}

describe("the constants of the protocol", () => {
  it("are the same in TypeScript and in C, and none is missing on either side", () => {
    const inTypeScript = [...constantsOfTypeScript()].sort();
    assert.deepEqual([...constantsOfC()].sort(), inTypeScript);
    assert.ok(inTypeScript.length > 50);
  });

  it("all stand in the table of protocol.h, and none beside it", () => {
    const table = /#define PROTOCOL_CONSTANTS\(X\)(?:.*\\\n)+.*\n/.exec(header)?.[0] ?? "";
    assert.equal([...table.matchAll(/\bX \(/g)].length, constantsOfC().size);
    assert.deepEqual([...header.matchAll(/^\s*#\s*define\s+(\w+)/gm)].map(([, name]) => name), [
      "PROTOCOL_H",
      "PROTOCOL_CONSTANTS",
      "PROTOCOL_MEMBER",
    ]);
  });

  it("have no value twice within one group", () => {
    for (const [name, group] of Object.entries<number | Readonly<Record<string, number>>>(protocol)) {
      if (typeof group === "number" || name === "Bound") continue;
      assert.equal(new Set(Object.values(group)).size, Object.keys(group).length, name);
    }
  });
});
