import Gio from "gi://Gio?version=2.0";

/** Kinds of machines, as uname(1) calls them. */
export type Machine = "x86_64" | "aarch64";

/** What this program was built for, as its own ELF header says; null: another kind than what is supported. */
export function machine(): Machine | null {
  found ??= { machine: readMachine() };
  return found.machine;
}

let found: { readonly machine: Machine | null } | null = null;

/** Where e_machine stands in an ELF header, and two of its values: include/uapi/linux/elf.h and elf-em.h. */
const E_MACHINE = 18;
const machines: Partial<Record<number, Machine>> = { 62: "x86_64", 183: "aarch64" };

function readMachine(): Machine | null {
  const stream = Gio.File.new_for_path("/proc/self/exe").read(null);
  const header = stream.read_bytes(E_MACHINE + 2, null).toArray();
  stream.close(null);
  return machines[(header[E_MACHINE] ?? 0) | ((header[E_MACHINE + 1] ?? 0) << 8)] ?? null;
}
