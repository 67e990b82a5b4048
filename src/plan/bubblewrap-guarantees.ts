import type { BubblewrapOption } from "./bubblewrap-words.js";
import type { GuaranteeFacts, Statements } from "./guarantees.js";
import { Outside } from "./guarantees.js";
import type { LimitFacts } from "./limit-mechanisms.js";
import { sandboxDirectories } from "./root-filesystem.js";
import type { SandboxFacts, SandboxTraits } from "./sandbox-statements.js";
import {
  buses,
  devices,
  display,
  environment,
  filesystem,
  ipc,
  lifetime,
  listed,
  network,
  privileges,
  processIds,
  resources,
  syscalls,
} from "./sandbox-statements.js";

/** What a report of a bubblewrap sandbox follows from. */
export interface BubblewrapGuaranteeFacts extends GuaranteeFacts {
  /** What the plan tells bwrap. */
  readonly options: readonly BubblewrapOption[];
  /** What limits depend on. */
  readonly limitFacts: LimitFacts;
}

/** What a sandbox of bubblewrap and gio-sandbox-init guarantees, and what its child will see of that. */
export function bubblewrapGuarantees({ options, ...rest }: BubblewrapGuaranteeFacts): Statements {
  const facts: SandboxFacts = { ...rest, traits: traitsOf(options, rest.host.uid) };
  const own = facts.filesystem.filter(({ kind, path, writable }) => kind === "private" && writable && path !== "/");
  return {
    filesystem: filesystem(facts, [`${listed(own.map(({ path }) => path))} are its own, empty at first, and gone with it.`]),
    network: network(facts),
    "process-ids": processIds(facts, [
      "It sees the processes that it starts, and gio-sandbox-init as process 1, in /proc and to kill(): ESRCH for all others.",
      "It can neither look into process 1 nor end it.",
    ]),
    ipc: ipc(facts),
    buses: buses(facts),
    display: display(facts),
    devices: devices(facts),
    syscalls: syscalls(facts, []),
    privileges: privileges(facts, []),
    environment: environment(facts, []),
    resources: resources(facts, []),
    lifetime: lifetime(facts),
  };
}

function traitsOf(options: readonly BubblewrapOption[], uid: number): SandboxTraits {
  const has = (...words: readonly string[]): boolean => options.some(({ name }) => words.includes(name));
  const { runtime } = sandboxDirectories(uid);
  return {
    makers: [],
    init: 1,
    // the kernel does not deliver to the first process of a namespace what would end it
    signalToInit: "OK",
    shares: new Set([
      ...(has("--share-net") ? (["network"] as const) : []),
      ...(has("--unshare-all", "--unshare-ipc") ? [] : (["ipc"] as const)),
    ]),
    namespaces: { cgroup: "own", user: "own", uts: "own" },
    hostName: options.find(({ name }) => name === "--hostname")?.operands[0] ?? null,
    runtime,
    busSockets: [`${runtime}/bus`, "/run/dbus/system_bus_socket"],
    process: { "control-group": "/", umask: Outside.SAME, "capability-bounds": "none" },
    otherLimits: "inherited",
    beyondFilter: (kernel) => kernel,
  };
}
