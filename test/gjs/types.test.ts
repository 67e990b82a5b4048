import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { requireBuiltModule } from "./built-module.js";

const application = fileURLToPath(new URL("application-in-gjs.ts", import.meta.url));

describe("the types for GJS", () => {
  before(requireBuiltModule);

  it("are all that an application in TypeScript needs besides those of @girs", function () {
    this.timeout(60_000);
    const program = ts.createProgram([application], {
      ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022, moduleResolution: ts.ModuleResolutionKind.Bundler },
      ...{ lib: ["lib.es2022.d.ts"], types: ["@girs/gjs", "@girs/gio-2.0", "@girs/glib-2.0", "@girs/gobject-2.0"] },
      ...{ strict: true, noEmit: true, skipLibCheck: true },
    });
    const problems = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start = 0 }) => {
      const line = file === undefined ? 0 : file.getLineAndCharacterOfPosition(start).line + 1;
      return `${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
    assert.deepEqual(problems, []);
  });
});
