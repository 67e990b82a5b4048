import { setTimeout } from "./timers.js";

/* Stand for the language's AbortController and AbortSignal, as far as they are used. */

export class AbortSignal {
  #isAborted = false;
  #listeners: (() => void)[] = [];

  /** One that is aborted when one of these is. */
  static any(signals: readonly AbortSignal[]): AbortSignal {
    const any = new AbortSignal();
    for (const signal of signals) {
      if (signal.aborted) any.abort();
      else signal.addEventListener("abort", () => any.abort());
    }
    return any;
  }

  /** One that is aborted after this time. */
  static timeout(milliseconds: number): AbortSignal {
    const signal = new AbortSignal();
    setTimeout(() => signal.abort(), milliseconds);
    return signal;
  }

  get aborted(): boolean {
    return this.#isAborted;
  }

  /** It is aborted once only, so that once is all that a listener hears of it, whether it asks for more or not. */
  addEventListener(...[, listener]: [name: "abort", listener: () => void, options?: { readonly once?: boolean }]): void {
    if (!this.#isAborted && !this.#listeners.includes(listener)) this.#listeners.push(listener);
  }

  removeEventListener(...[, listener]: [name: "abort", listener: () => void]): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** For the controller. */
  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    for (let next = this.#listeners.shift(); next !== undefined; next = this.#listeners.shift()) next();
  }
}

export class AbortController {
  readonly signal = new AbortSignal();

  abort(): void {
    this.signal.abort();
  }
}
