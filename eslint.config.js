import js from "@eslint/js";
import tseslint from "typescript-eslint";

/** The folders of the functional core: no I/O, no runtime, so that Node and GJS share them. */
const pureFolders = [
  "permissions",
  "confinement",
  "seccomp",
  "init",
  "plan",
  "subprocess",
  "thumbnail",
  "pixbuf",
];

const pureImports = [
  {
    regex: "^(?!\\.{1,2}/)",
    message: "The core is pure: it imports nothing from Node, npm or gi://.",
  },
  {
    regex: "^\\.\\./(\\.\\./)*(node|gjs|cli|demo)/",
    message: "An arrow goes from the shells to the core, never back.",
  },
];

const belowPlan = {
  regex: "^\\.\\./(\\.\\./)*plan/",
  message: "Only plan/ and the shells look at plan/: it stands at the end of the core.",
};

const runtimeGlobals = [
  "process",
  "Buffer",
  "console",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "structuredClone",
  "performance",
  "fetch",
  "URL",
  "AbortController",
  "AbortSignal",
  "globalThis",
].map((name) => ({ name, message: "The core is pure and runs on GJS too." }));

export default tseslint.config(
  { ignores: ["dist/", "build/", "node_modules/"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: ["./tsconfig.json", "./tsconfig.gjs.json"], tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "no-warning-comments": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "Use a const object: enums are not erasable." },
      ],
      // what a using declaration is for is its end
      "@typescript-eslint/no-unused-vars": ["error", { ignoreUsingDeclarations: true }],
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.{js,mjs}"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly", console: "readonly", TextDecoder: "readonly", TextEncoder: "readonly", setTimeout: "readonly" } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, "@typescript-eslint/explicit-module-boundary-types": "off" },
  },
  {
    files: ["test/gjs/**/*.js"],
    languageOptions: { globals: { print: "readonly", ARGV: "readonly" } },
  },
  {
    files: [`src/{${pureFolders.join(",")}}/**/*.ts`],
    rules: {
      "no-restricted-imports": ["error", { patterns: pureImports }],
      "no-restricted-globals": ["error", ...runtimeGlobals],
    },
  },
  {
    files: [`src/{${pureFolders.filter((folder) => folder !== "plan").join(",")}}/**/*.ts`],
    rules: { "no-restricted-imports": ["error", { patterns: [...pureImports, belowPlan] }] },
  },
  {
    // the command is the same on Node and on GJS
    files: ["src/cli/*.ts"],
    ignores: ["src/cli/node*.ts", "src/cli/gjs*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { ...pureImports[0], message: "The command is for Node and GJS: what is one's alone is behind Shell." },
            { regex: "^\\.\\./(node|gjs)/", message: "The command is for Node and GJS: what is one's alone is behind Shell." },
          ],
        },
      ],
      "no-restricted-globals": ["error", ...runtimeGlobals],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      // mocha's describe() and it() take async functions and return nothing to wait for
      "@typescript-eslint/no-floating-promises": "off",
    },
  },
);
