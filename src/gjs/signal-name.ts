/** As signal(7) has them for x86-64 and 64-bit ARM. */
const names = [
  ...["HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM"],
  ...["STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO"],
  ...["PWR", "SYS"],
];

/** 9 for `SIGKILL`; null for what is no signal. */
export function signalNumber(name: string): number | null {
  const index = name.startsWith("SIG") ? names.indexOf(name.slice("SIG".length)) : -1;
  return index < 0 ? null : index + 1;
}

/** `SIGKILL` for 9. */
export function signalName(signal: number): string {
  const name = names[signal - 1];
  return name === undefined ? `SIG${signal}` : `SIG${name}`;
}
