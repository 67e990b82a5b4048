/** What this project wants to reach, and whether it does. */
import { COLD, OPEN, PLAIN, PREWARMED, RAW } from "./launch.js";
import type { Measurement } from "./measure.js";
import type { IdleMemory } from "./memory.js";
import { GIO, GJS_OPEN, RUNTIME } from "./peers.js";
import { COMMAND, GJS_COMMAND, GJS_LEAST, LEAST } from "./start-up.js";
import { FOUR } from "./throughput.js";

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly measured: string;
  readonly isMet: boolean;
}

export interface Figures {
  readonly launch: Measurement;
  readonly throughput: Measurement;
  readonly startUp: Measurement;
  readonly memory: IdleMemory;
}

export function targets({ launch, throughput, startUp, memory }: Figures): Target[] {
  const faster = (what: string, by: number, measured: number): Target => ({
    what,
    wanted: `at least ${by} × as fast`,
    measured: `${measured.toFixed(2)} ×`,
    isMet: measured >= by,
  });
  const longer = (what: string, by: number, measured: number): Target => ({
    what,
    wanted: `at most ${by} × the time`,
    measured: `${measured.toFixed(2)} ×`,
    isMet: measured <= by,
  });
  return [
    longer("in an open sandbox, beside child_process.spawn", 0.9, launch.ratio(OPEN, PLAIN).median),
    ...(launch.names.includes(GIO) ? [longer("in an open sandbox on GJS, beside Gio.Subprocess", 1.2, launch.ratio(GJS_OPEN, GIO).median)] : []),
    longer("prewarmed, beside child_process.spawn", 1, launch.ratio(PREWARMED, PLAIN).median),
    longer("a new sandbox, beside bwrap", 1.25, launch.ratio(COLD, RAW).median),
    ...(launch.names.includes(RUNTIME) ? [faster("a new sandbox, beside sandbox-runtime", 5, launch.ratio(RUNTIME, COLD).median)] : []),
    faster("many at once in open sandboxes, beside bwrap", 2.5, throughput.ratio(RAW, FOUR).median),
    faster("many at once prewarmed, beside bwrap", 2.5, throughput.ratio(RAW, PREWARMED).median),
    longer("the command, beside node -e 0 and bwrap", 1.25, startUp.ratio(COMMAND, LEAST).median),
    longer("the command on GJS, beside gjs -c 0 and bwrap", 1.5, startUp.ratio(GJS_COMMAND, GJS_LEAST).median),
    {
      what: "memory of an idle sandbox",
      wanted: "at most 2048 KiB",
      measured: `${memory.eachKibibytes.toFixed(0)} KiB`,
      isMet: memory.eachKibibytes <= 2048,
    },
  ];
}
