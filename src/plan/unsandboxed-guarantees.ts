import type { Statement, Statements } from "./guarantees.js";
import { Mechanism } from "./guarantees.js";

/** What holds without a sandbox: nothing, but for what the launcher does for every child. */
export function unsandboxedGuarantees(): Statements {
  return {
    filesystem: nothing("It sees all files that you see, and can do with them what you can."),
    network: nothing("It has the network as you have it."),
    "process-ids": nothing("It sees the processes of the host, and can signal and trace yours."),
    ipc: nothing("It shares System V IPC and POSIX message queues with the host."),
    buses: nothing("It can connect to your buses, and to the system's."),
    display: nothing("It can connect to your display and your sound server."),
    devices: nothing("It can use all devices that you can use."),
    syscalls: nothing("It can make every system call."),
    privileges: nothing("It has your privileges, and set-user-ID programs give it more."),
    environment: {
      access: "partly",
      mechanisms: [Mechanism.LAUNCHER],
      sentences: ["It begins with the variables and descriptors that the launcher gives it."],
      observations: [],
    },
    resources: nothing("No limit is set for it."),
    lifetime: nothing("It can live on when the program that launched it has ended."),
  };
}

function nothing(sentence: string): Statement {
  return { access: "granted", mechanisms: [], sentences: [sentence], observations: [] };
}
