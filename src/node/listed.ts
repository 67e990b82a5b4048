/** What a plan means by a place in one of the shell's lists. */
export function listed<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`The plan names place ${index} of ${list.length}`);
  return item;
}
