/* As esbuild's functions for `using` look for them where the engine has none. */
type Names = Record<"dispose" | "asyncDispose", symbol>;

for (const name of ["dispose", "asyncDispose"] as const) {
  if ((Symbol as unknown as Partial<Names>)[name] === undefined) {
    Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
  }
}
