import type { Architecture } from "./architecture.js";
import type { FilterProgram } from "./filter-program.js";
import { sandboxPrograms } from "./sandbox-programs.js";

/**
 * The filter that holds for everything in a sandbox, whatever its policy adds: `defaultRules()`, compiled beforehand since
 * every sandbox needs it. The same object comes back each time.
 */
export function sandboxFilter(architecture: Architecture): FilterProgram {
  let filter = filters.get(architecture);
  if (filter === undefined) filters.set(architecture, (filter = read(sandboxPrograms[architecture])));
  return filter;
}

const filters = new Map<Architecture, FilterProgram>();

function read(text: string): FilterProgram {
  const [worstSteps, ...program] = text.split(" ");
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach((digits, index) => {
    view.setUint32(index * 8, parseInt(digits.slice(0, 8), 16));
    view.setUint32(index * 8 + 4, parseInt(digits.slice(8), 16));
  });
  return { bytes, instructions: program.length, worstSteps: Number(worstSteps) };
}
