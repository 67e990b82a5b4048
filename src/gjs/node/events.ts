/* Stands for node:events. */

type Listener = (...values: unknown[]) => void;

/** Who tells others of what happens. */
export class EventEmitter {
  readonly #listeners = new Map<string, Listener[]>();

  on(name: string, listener: Listener): this {
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener]);
    return this;
  }

  once(name: string, listener: Listener): this {
    const once = (...values: unknown[]): void => {
      this.off(name, once);
      listener(...values);
    };
    return this.on(name, once);
  }

  off(name: string, listener: Listener): this {
    const others = (this.#listeners.get(name) ?? []).filter((other) => other !== listener);
    this.#listeners.set(name, others);
    return this;
  }

  /** @returns whether anybody heard it */
  emit(name: string, ...values: unknown[]): boolean {
    const listeners = this.#listeners.get(name) ?? [];
    for (const listener of listeners) listener(...values);
    return listeners.length > 0;
  }
}
