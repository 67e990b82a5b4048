import assert from "node:assert/strict";
import { isCancelled, throwIfCancelled, whenCancelled } from "../../src/node/cancellable.js";
import { GLibError, IOErrorEnum } from "../../src/node/index.js";

describe("a cancellable that is an AbortSignal", () => {
  it("tells whoever waits for it, once", () => {
    const controller = new AbortController();
    let calls = 0;
    whenCancelled(controller.signal, () => calls++);
    assert.equal(calls, 0);
    controller.abort();
    controller.abort();
    assert.equal(calls, 1);
  });

  it("tells at once, and once, if it is cancelled already", () => {
    let calls = 0;
    whenCancelled(AbortSignal.abort(), () => calls++);
    assert.equal(calls, 1);
  });

  it("tells nobody who has gone", () => {
    const controller = new AbortController();
    let calls = 0;
    whenCancelled(controller.signal, () => calls++)();
    controller.abort();
    assert.equal(calls, 0);
  });

  it("is looked at without waiting", () => {
    assert.equal(isCancelled(new AbortController().signal), false);
    assert.equal(isCancelled(AbortSignal.abort()), true);
    assert.equal(isCancelled(null), false);
    throwIfCancelled(null);
    assert.throws(
      () => throwIfCancelled(AbortSignal.abort()),
      (error) => error instanceof GLibError && error.matches("g-io-error-quark", IOErrorEnum.CANCELLED),
    );
  });
});
