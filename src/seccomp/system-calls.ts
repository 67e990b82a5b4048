import type { Architecture } from "./architecture.js";
import { syscallGroups } from "./syscall-groups.js";
import { syscallTables } from "./syscall-tables.js";

/** The numbers of an architecture's system calls by name. */
export function systemCalls(architecture: Architecture): ReadonlyMap<string, number> {
  let table = tables.get(architecture);
  if (table === undefined) tables.set(architecture, (table = parsedTable(syscallTables[architecture])));
  return table;
}

const tables = new Map<Architecture, ReadonlyMap<string, number>>();

function parsedTable(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of text.split(" ")) {
    if (/^\d/.test(word)) next = Number(word);
    else numbers.set(word, next++);
  }
  return numbers;
}

/** The system calls of a group with those of the groups in it: null if there is no such group. */
export function groupMembers(group: string): readonly string[] | null {
  let members = groups.get(group);
  if (members === undefined) {
    if (!isGroup(group)) return null;
    const words = syscallGroups[group].split(" ");
    members = [...new Set(words.flatMap((word) => (isGroup(word) ? (groupMembers(word) ?? []) : [word])))];
    groups.set(group, members);
  }
  return members;
}

const groups = new Map<string, readonly string[]>();

export function groupNames(): readonly string[] {
  return Object.keys(syscallGroups);
}

function isGroup(name: string): name is keyof typeof syscallGroups {
  return Object.hasOwn(syscallGroups, name);
}

/** Every name that a system call has on any architecture, ours or another that systemd knows. */
export function knownNames(): ReadonlySet<string> {
  known ??= new Set([
    ...(groupMembers("@known") ?? []),
    ...architectureNames.flatMap((architecture) => [...systemCalls(architecture).keys()]),
  ]);
  return known;
}

let known: ReadonlySet<string> | null = null;

const architectureNames = Object.keys(syscallTables) as (keyof typeof syscallTables)[];

/**
 * Calls of i386 that are made through another one as well, with their number as its first argument (linux/net.h,
 * linux/ipc.h). Their own arguments are in memory then, where no filter can look.
 */
export const multiplexed = {
  socketcall: {
    /** Bits of the first argument that the kernel looks at. */
    mask: 0xffffffffn,
    calls: numbered([
      ...["socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair", "send", "recv"],
      ...["sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg"],
      "sendmmsg",
    ]),
  },
  ipc: {
    /** A version is in the upper half. */
    mask: 0xffffn,
    calls: new Map([
      ...numbered(["semop", "semget", "semctl", "semtimedop"]),
      ...numbered(["msgsnd", "msgrcv", "msgget", "msgctl"], 11n),
      ...numbered(["shmat", "shmdt", "shmget", "shmctl"], 21n),
    ]),
  },
} as const;

function numbered(names: readonly string[], first = 1n): ReadonlyMap<string, bigint> {
  return new Map(names.map((name, index) => [name, first + BigInt(index)]));
}
