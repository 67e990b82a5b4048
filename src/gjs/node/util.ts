/* Stands for node:util. */

type Callback<T> = (error: Error | null, result: T) => void;

/** A function that gives a promise, of one that takes a callback. */
export function promisify<Parameters extends unknown[], T>(
  function_: (...parameters: [...Parameters, Callback<T>]) => void,
): (...parameters: Parameters) => Promise<T> {
  return (...parameters) =>
    new Promise((resolve, reject) => {
      function_(...parameters, (error, result) => {
        if (error instanceof Error) reject(error);
        else resolve(result);
      });
    });
}
