import type { BusSignal, Subscription } from "./bus.js";
import type { BusMessage } from "./dbus-next-parts.js";
import type { MatchRule } from "./match-rule.js";
import { isMatch, matchRuleText } from "./match-rule.js";

/** What a subscription needs of its bus. */
export interface SubscribableBus {
  add(rule: string): Promise<unknown>;
  remove(rule: string): Promise<unknown>;
  listen(listener: (signal: BusMessage) => void): unknown;
  unlisten(listener: (signal: BusMessage) => void): unknown;
  ownerOf(name: string): Promise<string | null>;
}

/** One `Bus.subscribe()`: the rules that it has on the bus, and the check of what comes. */
export class SignalSubscription implements Subscription {
  readonly #rule: MatchRule;
  readonly #owner: NameOwner | null;
  readonly #handler: (signal: BusSignal) => void;
  readonly #bus: SubscribableBus;
  readonly #addedRules: string[] = [];

  constructor(
    rule: MatchRule,
    owner: NameOwner | null,
    handler: (signal: BusSignal) => void,
    bus: SubscribableBus,
  ) {
    this.#rule = rule;
    this.#owner = owner;
    this.#handler = handler;
    this.#bus = bus;
  }

  /** Changes of ownership are followed before the owner is asked for, so that none is missed. */
  async start(): Promise<void> {
    this.#bus.listen(this.#receive);
    try {
      if (this.#owner?.changes === true) {
        await this.#add(matchRuleText(this.#owner.rule));
        this.#owner.learn(await this.#bus.ownerOf(this.#owner.name));
      }
      await this.#add(matchRuleText(this.#rule));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    void this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bus.unlisten(this.#receive);
    const rules = this.#addedRules.splice(0);
    // a connection that has ended has no rules any more
    await Promise.allSettled(rules.map((rule) => this.#bus.remove(rule)));
  }

  async #add(rule: string): Promise<void> {
    await this.#bus.add(rule);
    this.#addedRules.push(rule);
  }

  readonly #receive = (signal: BusMessage): void => {
    this.#owner?.follow(signal);
    const { sender, path, member, signature, body } = signal;
    if (sender === undefined || path === undefined || signal.interface === undefined || member === undefined) return;
    if (!isMatch(this.#rule, this.#owner?.uniqueName ?? null, signal)) return;
    try {
      this.#handler({ sender, path, interface: signal.interface, member, signature, body });
    } catch (error) {
      // the subscriber's own fault: it must not stop what other messages bring
      process.nextTick(() => {
        throw error;
      });
    }
  };
}

/** Who has a name: for a unique name, and for the bus itself, always the same. */
export class NameOwner {
  readonly name: string;
  readonly changes: boolean;
  #uniqueName: string | null;
  /** NameOwnerChanged is newer than an answer of GetNameOwner that comes behind it. */
  #hasChanged = false;

  constructor(name: string) {
    this.name = name;
    this.changes = !name.startsWith(":") && name !== BUS_NAME;
    this.#uniqueName = this.changes ? null : name;
  }

  get uniqueName(): string | null {
    return this.#uniqueName;
  }

  get rule(): MatchRule {
    return { sender: BUS_NAME, interface: BUS_NAME, member: "NameOwnerChanged", arg0: this.name };
  }

  learn(uniqueName: string | null): void {
    if (!this.#hasChanged) this.#uniqueName = uniqueName;
  }

  follow(signal: BusMessage): void {
    if (!this.changes || !isMatch(this.rule, BUS_NAME, signal)) return;
    const newOwner = signal.body[2];
    this.#hasChanged = true;
    this.#uniqueName = typeof newOwner === "string" && newOwner !== "" ? newOwner : null;
  }
}

const BUS_NAME = "org.freedesktop.DBus";
