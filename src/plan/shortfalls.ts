import type { ChosenBackend } from "./choose-backend.js";
import { Backend } from "./choose-backend.js";
import type { Shortfalls } from "./guarantees.js";
import { aspects } from "./guarantees.js";

const nothing: Shortfalls = new Map();

const everything: Shortfalls = new Map(
  aspects.map((aspect) => [aspect, { enforcement: "none", reason: "there is no sandbox" }]),
);

/**
 * What the backends do not hold of the permissions. Bubblewrap and init hold everything. What the portal cannot hold is
 * refused by its planner; what it does make, holds.
 */
export const shortfalls: Readonly<Record<ChosenBackend, Shortfalls>> = {
  [Backend.BUBBLEWRAP]: nothing,
  [Backend.FLATPAK_PORTAL]: nothing,
  [Backend.LANDLOCK]: everything,
  [Backend.NONE]: everything,
};
