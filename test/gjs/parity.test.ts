/** The faces of the two shells: the same members, by node-gtk's rule for their names. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { fileURLToPath } from "node:url";
import * as node from "../../src/node/index.js";
import { builtModule, requireBuiltModule } from "./built-module.js";
import { sides } from "./own-members.js";

/** What something that is exported is: a class with its members, or constants, or neither. */
interface Face {
  readonly members?: readonly string[];
  readonly statics?: readonly string[];
  readonly constants?: unknown;
}

type Faces = Readonly<Record<string, Face>>;

function gjsFaces(): Faces {
  const script = fileURLToPath(new URL("print-faces.js", import.meta.url));
  return JSON.parse(execFileSync("gjs", ["-m", script, builtModule], { encoding: "utf8" })) as Faces;
}

function nodeFaces(): Faces {
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, faceOf(value)]));
}

function faceOf(value: unknown): Face {
  if (typeof value !== "function") return { constants: value };
  const members = membersOf((value as { readonly prototype?: object }).prototype ?? null);
  const statics = Object.getOwnPropertyNames(value).filter((name) => !["prototype", "length", "name"].includes(name));
  return members.length > 0 ? { members, statics } : {};
}

function membersOf(prototype: object | null): string[] {
  const foreign: readonly (object | null)[] = [EventEmitter.prototype, Error.prototype, Object.prototype, null];
  const names = new Set<string>();
  for (let own = prototype; own !== null && !foreign.includes(own); own = parentOf(own)) {
    for (const key of Reflect.ownKeys(own)) if (key !== "constructor") names.add(keyName(key));
  }
  return [...names];
}

/** The language's new symbols have other descriptions where they are not its own. */
function keyName(key: string | symbol): string {
  if (key === Symbol.dispose) return "Symbol.dispose";
  return key === Symbol.asyncDispose ? "Symbol.asyncDispose" : String(key);
}

function parentOf(prototype: object): object | null {
  return Object.getPrototypeOf(prototype) as object | null;
}

/** The name that node-gtk gives to what has this name in GJS; classes, constants and what is in camelCase stay as they are. */
function nodeGtkName(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}

/** Names on one side only that are not known to be. */
function unknown(here: readonly string[], there: readonly string[], known: readonly string[]): string[] {
  return here.filter((name) => !there.includes(name) && !known.includes(name)).sort();
}

/** Names that are said to be on one side only, and are not. */
function outdated(here: readonly string[], there: readonly string[], known: readonly string[]): string[] {
  return known.filter((name) => !here.includes(name) || there.includes(name)).sort();
}

describe("the public faces for Node and for GJS", () => {
  const onNode = nodeFaces();
  let inGjs: Faces = {};

  before(requireBuiltModule);
  before(() => {
    inGjs = gjsFaces();
  });

  const compare = (here: readonly string[], there: readonly string[], known: ReturnType<typeof sides>): void => {
    assert.deepEqual(unknown(here, there, known.node), [], "on Node only");
    assert.deepEqual(unknown(there, here, known.gjs), [], "in GJS only");
    assert.deepEqual(outdated(here, there, known.node), [], "said to be on Node only");
    assert.deepEqual(outdated(there, here, known.gjs), [], "said to be in GJS only");
  };

  it("export the same, but for what the platform has itself", () => {
    compare(Object.keys(onNode), Object.keys(inGjs).map(nodeGtkName), sides("exports"));
  });

  for (const [name, { members, statics, constants }] of Object.entries(onNode)) {
    if (sides("exports").node.includes(name)) continue;
    if (members !== undefined && statics !== undefined) {
      it(`have the same members in ${name}`, () => {
        compare(members, (inGjs[name]?.members ?? []).map(nodeGtkName), sides(name));
      });

      it(`have the same static members in ${name}`, () => {
        compare(statics, (inGjs[name]?.statics ?? []).map(nodeGtkName), sides(`static ${name}`));
      });
    }
    if (constants !== undefined) it(`have the same constants in ${name}`, () => assert.deepEqual(inGjs[name]?.constants, constants));
  }
});
