import { enqueueJob } from "./jobs.js";

/*
 * The promises of the code that both shells share, in its bundle for GJS: tools/build-gjs puts this class in the place of
 * the language's. They settle wherever jobs are run, which a blocking call can do in a main context of its own.
 */

type Settle<T> = (value: T) => void;

interface Reaction {
  readonly onFulfilled: Settle<unknown>;
  readonly onRejected: Settle<unknown>;
}

type State = "pending" | "fulfilled" | "rejected";

/** A promise whose reactions are jobs of ours, with what the language's has otherwise. */
export class LoopPromise<T> implements PromiseLike<T> {
  readonly [Symbol.toStringTag] = "LoopPromise";
  #state: State = "pending";
  #value: unknown = undefined;
  #reactions: Reaction[] = [];

  static resolve<T>(value: T | PromiseLike<T>): LoopPromise<T> {
    if (value instanceof LoopPromise) return value as LoopPromise<T>;
    return new LoopPromise((resolve) => resolve(value));
  }

  static reject(reason: unknown): LoopPromise<never> {
    return new LoopPromise((_resolve, reject) => reject(reason));
  }

  static all<T>(values: readonly (T | PromiseLike<T>)[]): LoopPromise<T[]> {
    return new LoopPromise((resolve, reject) => {
      const results: T[] = [];
      let missing = values.length;
      if (missing === 0) resolve(results);
      values.forEach((value, index) => {
        LoopPromise.resolve(value).then((result) => {
          results[index] = result;
          missing--;
          if (missing === 0) resolve(results);
        }, reject);
      });
    });
  }

  static race<T>(values: readonly (T | PromiseLike<T>)[]): LoopPromise<T> {
    return new LoopPromise((resolve, reject) => {
      for (const value of values) LoopPromise.resolve(value).then(resolve, reject);
    });
  }

  constructor(executor: (resolve: Settle<T | PromiseLike<T>>, reject: Settle<unknown>) => void) {
    const { resolve, reject } = this.#settlers();
    try {
      executor(resolve, reject);
    } catch (error) {
      reject(error);
    }
  }

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): LoopPromise<A | B> {
    return new LoopPromise<A | B>((resolve, reject) => {
      const react = (handler: unknown, otherwise: Settle<unknown>) =>
        (value: unknown): void => {
          if (typeof handler !== "function") {
            otherwise(value);
            return;
          }
          try {
            resolve((handler as (value: unknown) => A | B | PromiseLike<A | B>)(value));
          } catch (error) {
            reject(error);
          }
        };
      this.#react({
        onFulfilled: react(onFulfilled, (value) => resolve(value as A)),
        onRejected: react(onRejected, reject),
      });
    });
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): LoopPromise<T | B> {
    return this.then(null, onRejected);
  }

  finally(onSettled: () => unknown): LoopPromise<T> {
    return this.then(
      (value) => LoopPromise.resolve(onSettled()).then(() => value),
      (reason: unknown) =>
        LoopPromise.resolve(onSettled()).then(() => {
          throw reason;
        }),
    );
  }

  /** Two functions of which only the first call counts. */
  #settlers(): { resolve: Settle<T | PromiseLike<T>>; reject: Settle<unknown> } {
    let isCalled = false;
    const once = <V>(settle: Settle<V>) => (value: V): void => {
      if (isCalled) return;
      isCalled = true;
      settle(value);
    };
    return {
      resolve: once((value) => this.#resolve(value)),
      reject: once((reason) => this.#settle("rejected", reason)),
    };
  }

  #resolve(value: unknown): void {
    if (value === this) {
      this.#settle("rejected", new TypeError("A promise cannot be what it resolves to."));
      return;
    }
    if (value instanceof LoopPromise) {
      const { resolve, reject } = this.#settlers();
      value.#react({ onFulfilled: (result) => resolve(result as T), onRejected: reject });
      return;
    }
    const { then, error } = thenOf(value);
    if (error !== null) this.#settle("rejected", error.value);
    else if (then === null) this.#settle("fulfilled", value);
    else enqueueJob(() => this.#follow(value, then));
  }

  #follow(value: unknown, then: Then): void {
    const { resolve, reject } = this.#settlers();
    try {
      then.call(value, resolve as Settle<unknown>, reject);
    } catch (error) {
      reject(error);
    }
  }

  #react(reaction: Reaction): void {
    if (this.#state === "pending") this.#reactions.push(reaction);
    else this.#enqueue(reaction);
  }

  #settle(state: State, value: unknown): void {
    this.#state = state;
    this.#value = value;
    const reactions = this.#reactions;
    this.#reactions = [];
    for (const reaction of reactions) this.#enqueue(reaction);
  }

  #enqueue({ onFulfilled, onRejected }: Reaction): void {
    const settle = this.#state === "fulfilled" ? onFulfilled : onRejected;
    enqueueJob(() => settle(this.#value));
  }
}

type Then = (onFulfilled: Settle<unknown>, onRejected: Settle<unknown>) => unknown;

interface FoundThen {
  readonly then: Then | null;
  readonly error: { readonly value: unknown } | null;
}

function thenOf(value: unknown): FoundThen {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return { then: null, error: null };
  try {
    const { then } = value as { readonly then?: unknown };
    return { then: typeof then === "function" ? (then as Then) : null, error: null };
  } catch (error) {
    return { then: null, error: { value: error } };
  }
}
