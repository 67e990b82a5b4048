/*
 * Namesake of src/node/flatpak-spawn-backend.ts, which is for where no descriptor can be sent: here they always can.
 */
export function flatpakSpawnBackend(): never {
  throw new TypeError("The portal is called over the bus here");
}
