import GLib from "gi://GLib?version=2.0";

/** Who this process is, as the kernel says. */
export interface EffectiveIds {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Reads them: proc(5) has the real, effective, saved and file system ids in that order. */
export function effectiveIds(): EffectiveIds {
  const [, bytes] = GLib.file_get_contents("/proc/self/status");
  const text = new TextDecoder().decode(bytes);
  const number = (key: string, column: number): number => {
    const words = new RegExp(`^${key}:\\s*(.*)$`, "m").exec(text)?.[1]?.split(/\s+/) ?? [];
    return Number(words[column]);
  };
  return { pid: number("Pid", 0), uid: number("Uid", 1), gid: number("Gid", 1) };
}
