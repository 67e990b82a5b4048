/** The environment of a child as GIO keeps it: a list of `NAME=VALUE`. */
export type Environment = readonly string[];

export function checkVariableName(name: string): void {
  if (name === "" || name.includes("=") || name.includes("\0")) {
    throw new TypeError(`An environment variable's name is not empty and has no “=”, but got ${JSON.stringify(name)}.`);
  }
}

export function checkVariableValue(name: string, value: string): void {
  if (value.includes("\0")) throw new TypeError(`The value of the environment variable “${name}” contains a NUL.`);
}

/** Checks a whole environment, each element of which is `NAME=VALUE`. */
export function checkEnvironment(environment: Environment): void {
  for (const entry of environment) {
    const equals = entry.indexOf("=");
    if (equals < 1) {
      throw new TypeError(`An environment consists of NAME=VALUE strings, but got ${JSON.stringify(entry)}.`);
    }
    checkVariableValue(entry.slice(0, equals), entry);
  }
}

export function getVariable(environment: Environment, name: string): string | null {
  const prefix = `${name}=`;
  return environment.find((entry) => entry.startsWith(prefix))?.slice(prefix.length) ?? null;
}

export function setVariable(environment: Environment, name: string, value: string): Environment {
  const prefix = `${name}=`;
  const entry = prefix + value;
  if (!environment.some((old) => old.startsWith(prefix))) return [...environment, entry];
  return environment.map((old) => (old.startsWith(prefix) ? entry : old));
}

export function unsetVariable(environment: Environment, name: string): Environment {
  const prefix = `${name}=`;
  return environment.filter((entry) => !entry.startsWith(prefix));
}

/** The search path inside a sandbox that is made of the host's /usr. */
export const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/** Where `g_find_program_in_path()` looks if there is no PATH. */
export const PATH_WITHOUT_PATH = "/bin:/usr/bin:.";

/** The directories that a child finds inside its sandbox: its private ones, and lists of shared ones. */
export interface SandboxDirectories {
  readonly home: string;
  readonly runtime: string;
  /** PATH, and where `argv[0]` is looked up. */
  readonly programs: string;
  /** XDG_CONFIG_DIRS */
  readonly configuration: string;
  /** XDG_DATA_DIRS */
  readonly data: string;
}

/**
 * What a child's environment starts from: nothing of the parent's but the language and the kind of terminal.
 *
 * @param parent the parent's variables
 */
export function defaultEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  directories: SandboxDirectories,
): Environment {
  const inherited = Object.entries(parent)
    .filter(([name, value]) => value !== undefined && isInherited(name))
    .map(([name, value]) => `${name}=${value ?? ""}`)
    .sort();
  return [
    `PATH=${directories.programs}`,
    `HOME=${directories.home}`,
    `XDG_RUNTIME_DIR=${directories.runtime}`,
    `XDG_CACHE_HOME=${directories.home}/.cache`,
    `XDG_CONFIG_HOME=${directories.home}/.config`,
    `XDG_DATA_HOME=${directories.home}/.local/share`,
    `XDG_STATE_HOME=${directories.home}/.local/state`,
    `XDG_CONFIG_DIRS=${directories.configuration}`,
    `XDG_DATA_DIRS=${directories.data}`,
    ...inherited,
  ];
}

function isInherited(name: string): boolean {
  return name === "LANG" || name === "LANGUAGE" || name === "TERM" || /^LC_[A-Z]+$/.test(name);
}
