import GLib from "gi://GLib?version=2.0";

/* Stands for node:os: what of it is asked for. */

export function homedir(): string {
  return GLib.get_home_dir();
}

export function hostname(): string {
  return GLib.get_host_name();
}

export function tmpdir(): string {
  return GLib.get_tmp_dir();
}

/** The kernel's, as uname(2) has it. */
export function release(): string {
  const [, bytes] = GLib.file_get_contents("/proc/sys/kernel/osrelease");
  return new TextDecoder().decode(bytes).trim();
}
