import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";
import type { Errno } from "../subprocess/errno.js";

/**
 * The error number that an error of GLib's was made of: g_file_error_from_errno(), g_io_error_from_errno() and what GSpawn
 * makes of exec's the other way round. EIO where that is not known.
 */
export function errnoOfGLib(error: unknown): Errno {
  if (error instanceof GLib.FileError) return ofFileErrors.get(error.code) ?? "EIO";
  if (error instanceof Gio.IOErrorEnum) return ofIoErrors.get(error.code) ?? "EIO";
  if (error instanceof GLib.SpawnError) return ofSpawnErrors.get(error.code) ?? "EIO";
  return "EIO";
}

const ofFileErrors: ReadonlyMap<number, Errno> = new Map<number, Errno>([
  [GLib.FileError.EXIST, "EEXIST"],
  [GLib.FileError.ISDIR, "EISDIR"],
  [GLib.FileError.ACCES, "EACCES"],
  [GLib.FileError.NAMETOOLONG, "ENAMETOOLONG"],
  [GLib.FileError.NOENT, "ENOENT"],
  [GLib.FileError.NOTDIR, "ENOTDIR"],
  [GLib.FileError.NXIO, "ENXIO"],
  [GLib.FileError.NODEV, "ENODEV"],
  [GLib.FileError.ROFS, "EROFS"],
  [GLib.FileError.TXTBSY, "ETXTBSY"],
  [GLib.FileError.FAULT, "EFAULT"],
  [GLib.FileError.LOOP, "ELOOP"],
  [GLib.FileError.NOSPC, "ENOSPC"],
  [GLib.FileError.NOMEM, "ENOMEM"],
  [GLib.FileError.MFILE, "EMFILE"],
  [GLib.FileError.NFILE, "ENFILE"],
  [GLib.FileError.BADF, "EBADF"],
  [GLib.FileError.INVAL, "EINVAL"],
  [GLib.FileError.PIPE, "EPIPE"],
  [GLib.FileError.AGAIN, "EAGAIN"],
  [GLib.FileError.INTR, "EINTR"],
  [GLib.FileError.PERM, "EPERM"],
  [GLib.FileError.NOSYS, "ENOSYS"],
]);

const ofIoErrors: ReadonlyMap<number, Errno> = new Map<number, Errno>([
  [Gio.IOErrorEnum.NOT_FOUND, "ENOENT"],
  [Gio.IOErrorEnum.EXISTS, "EEXIST"],
  [Gio.IOErrorEnum.IS_DIRECTORY, "EISDIR"],
  [Gio.IOErrorEnum.NOT_DIRECTORY, "ENOTDIR"],
  [Gio.IOErrorEnum.NOT_EMPTY, "ENOTEMPTY"],
  [Gio.IOErrorEnum.FILENAME_TOO_LONG, "ENAMETOOLONG"],
  [Gio.IOErrorEnum.TOO_MANY_LINKS, "ELOOP"],
  [Gio.IOErrorEnum.NO_SPACE, "ENOSPC"],
  [Gio.IOErrorEnum.INVALID_ARGUMENT, "EINVAL"],
  [Gio.IOErrorEnum.PERMISSION_DENIED, "EACCES"],
  [Gio.IOErrorEnum.NOT_SUPPORTED, "ENOTSUP"],
  [Gio.IOErrorEnum.READ_ONLY, "EROFS"],
  [Gio.IOErrorEnum.BUSY, "EBUSY"],
  [Gio.IOErrorEnum.WOULD_BLOCK, "EAGAIN"],
  [Gio.IOErrorEnum.TOO_MANY_OPEN_FILES, "EMFILE"],
  [Gio.IOErrorEnum.BROKEN_PIPE, "EPIPE"],
]);

const ofSpawnErrors: ReadonlyMap<number, Errno> = new Map<number, Errno>([
  [GLib.SpawnError.FORK, "EAGAIN"],
  [GLib.SpawnError.ACCES, "EACCES"],
  [GLib.SpawnError.PERM, "EPERM"],
  [GLib.SpawnError.TOO_BIG, "E2BIG"],
  [GLib.SpawnError.NOEXEC, "ENOEXEC"],
  [GLib.SpawnError.NAMETOOLONG, "ENAMETOOLONG"],
  [GLib.SpawnError.NOENT, "ENOENT"],
  [GLib.SpawnError.NOMEM, "ENOMEM"],
  [GLib.SpawnError.NOTDIR, "ENOTDIR"],
  [GLib.SpawnError.LOOP, "ELOOP"],
  [GLib.SpawnError.TXTBUSY, "ETXTBSY"],
  [GLib.SpawnError.NFILE, "ENFILE"],
  [GLib.SpawnError.MFILE, "EMFILE"],
  [GLib.SpawnError.INVAL, "EINVAL"],
  [GLib.SpawnError.ISDIR, "EISDIR"],
  [GLib.SpawnError.LIBBAD, "ELIBBAD"],
]);
