import { call } from "./operation.js";

/*
 * The faces of classes that both shells share, with names as GJS has them: `addFilesystem` is `add_filesystem` there, by
 * node-gtk's rule read from its end.
 */

/** `addFilesystemFd` as `add_filesystem_fd`. What begins with `to` and is the language's own stays as it is. */
export type SnakeCase<Name extends string> = Name extends OwnName ? Name : Words<Name>;

type OwnName = "toString" | "toJSON";

type Words<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Words<Rest>}`
    : `_${Lowercase<First>}${Words<Rest>}`
  : "";

/** The members of a class, by their names in GJS; what takes or gives its objects does so with the face's. */
export type Face<T> = {
  readonly [Name in keyof T as Name extends string ? SnakeCase<Name> : never]: T[Name] extends (
    ...parameters: infer Parameters
  ) => infer Result
    ? (...parameters: FaceOfEach<Parameters, T>) => Result extends T ? Face<T> : Result
    : T[Name];
};

type FaceOfEach<Parameters extends unknown[], T> = {
  [Index in keyof Parameters]: Parameters[Index] extends T ? Face<T> : Parameters[Index];
};

/** Plain data with the names of its fields in snake_case. */
export type SnakeCased<T> = { readonly [Name in keyof T as Name extends string ? SnakeCase<Name> : never]: T[Name] };

/** The same data with the names of its fields in snake_case. */
export function snakeCased<T extends object>(data: T): SnakeCased<T> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [snakeCase(name), value])) as SnakeCased<T>;
}

const ownNames: readonly string[] = ["toString", "toJSON"] satisfies OwnName[];

/** The name that a member has in GJS. */
export function snakeCase(name: string): string {
  return ownNames.includes(name) ? name : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** What stands behind each face. */
const insides = new WeakMap<object, object>();

/** An object's inside, if it is a face; anything else as it is. */
export function insideOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (insides.get(value) ?? value) : value;
}

type Constructor = abstract new (...parameters: never[]) => object;

/**
 * Gives a class the members of another, by their names in GJS, all of which stand for its objects' insides.
 *
 * @param faceOf makes the face of an object of that class
 */
export function addMembers(face: Constructor, inside: Constructor, faceOf: (inside: object) => object): void {
  const outside = (value: unknown, self: object): unknown => {
    if (!(value instanceof inside)) return value;
    return value === insides.get(self) ? self : faceOf(value);
  };
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(inside.prototype as object))) {
    const isGetter = "get" in descriptor;
    const member = (descriptor as Readonly<Record<string, unknown>>)[isGetter ? "get" : "value"];
    if (name === "constructor" || typeof member !== "function") continue;
    const replacement = function (this: object, ...parameters: unknown[]): unknown {
      return outside(call(() => Reflect.apply(member, insideOf(this), parameters.map(insideOf)) as unknown), this);
    };
    Object.defineProperty(replacement, "length", { value: member.length });
    Object.defineProperty(face.prototype, snakeCase(name), {
      configurable: true,
      ...(isGetter ? { get: replacement } : { value: replacement, writable: true }),
    });
  }
}

/** Has `face` stand for `inside` from now on. */
export function putBehind(face: object, inside: object): void {
  insides.set(face, inside);
}
