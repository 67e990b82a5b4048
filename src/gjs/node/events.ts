/* Stands for node:events. */

type Listener = (...values: unknown[]) => void;

interface Registration {
  readonly listener: Listener;
  readonly isForOnce: boolean;
}

/** Who tells others of what happens. */
export class EventEmitter {
  readonly #registrations = new Map<string, readonly Registration[]>();

  on(name: string, listener: Listener): this {
    return this.#add(name, { listener, isForOnce: false });
  }

  once(name: string, listener: Listener): this {
    return this.#add(name, { listener, isForOnce: true });
  }

  off(name: string, listener: Listener): this {
    return this.#remove(name, [...this.#of(name)].reverse().find((registration) => registration.listener === listener));
  }

  /** @returns whether anybody heard it */
  emit(name: string, ...values: unknown[]): boolean {
    const registrations = this.#of(name);
    for (const registration of registrations) {
      // it may have been told already, by a listener before it
      if (registration.isForOnce && !this.#of(name).includes(registration)) continue;
      if (registration.isForOnce) this.#remove(name, registration);
      registration.listener(...values);
    }
    return registrations.length > 0;
  }

  #of(name: string): readonly Registration[] {
    return this.#registrations.get(name) ?? [];
  }

  #add(name: string, registration: Registration): this {
    this.#registrations.set(name, [...this.#of(name), registration]);
    return this;
  }

  #remove(name: string, registration: Registration | undefined): this {
    this.#registrations.set(name, this.#of(name).filter((other) => other !== registration));
    return this;
  }
}
