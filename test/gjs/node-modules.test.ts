import assert from "node:assert/strict";
import { inBoth } from "./running-gjs.js";

describe("the modules that stand for Node's in GJS", function () {
  this.timeout(120_000);

  it("do with files what Node's do, and fail with the same errors", () => {
    const { node, gjs } = inBoth("fs-calls");
    assert.deepEqual(gjs, node);
    assert.ok(node.length > 80);
  });

  it("do with paths, signals, random numbers, texts, events and timers what Node's do", () => {
    const { node, gjs } = inBoth("module-calls");
    assert.deepEqual(gjs, node);
    assert.ok(node.length > 50);
  });

  it("start processes and read pipes as Node's do, and fail to with the same errors", () => {
    const { node, gjs } = inBoth("process-calls");
    assert.deepEqual(gjs, node);
    assert.ok(node.length > 40);
  });
});
