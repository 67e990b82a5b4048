import Gio from "gi://Gio?version=2.0";

/**
 * What a script beside a module defines. It is read at once, as `import()` would not be.
 *
 * @param module the module's URL
 * @param name of the script's file, without `.js`
 */
export function loadScript(module: string, name: string): unknown {
  const directory = Gio.File.new_for_uri(module).get_parent()?.get_path() ?? "";
  imports.searchPath.unshift(directory);
  try {
    return (imports as unknown as Record<string, unknown>)[name];
  } finally {
    imports.searchPath.shift();
  }
}
