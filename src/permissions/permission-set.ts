/**
 * What a child is granted, as plain data: the form in which planners read permissions. `SandboxPermissions` is the
 * face that users build it with.
 */

/** Subsystems that can be shared with the host: Flatpak's words for `--share`. */
export type Share = "network" | "ipc";

/** Sockets of the desktop: Flatpak's words for `--socket`. */
export type Socket =
  | "x11"
  | "fallback-x11"
  | "wayland"
  | "pulseaudio"
  | "pipewire"
  | "session-bus"
  | "system-bus"
  | "ssh-auth"
  | "gpg-agent"
  | "pcsc"
  | "cups"
  | "inherit-wayland-socket";

/** Devices: Flatpak's words for `--device`. */
export type Device = "dri" | "input" | "kvm" | "shm" | "usb" | "all";

/** `create` is `rw`, and makes the directory if it is missing. */
export type FilesystemMode = "ro" | "rw" | "create";

/** A file or directory of the host by name. */
export interface FilesystemGrant {
  /**
   * An absolute path without `.`, `..` and doubled or trailing slashes; or Flatpak's words: `home` (also for `~`) or `~/…`,
   * `host`, `host-os`, `host-etc`, `xdg-desktop`, `xdg-documents`, `xdg-download`, `xdg-music`, `xdg-pictures`,
   * `xdg-public-share`, `xdg-templates`, `xdg-videos`, `xdg-data`, `xdg-config`, `xdg-cache`, `xdg-run`, those with `xdg-`
   * also with `/…` behind them, `xdg-run` always. One word is ours: `host-fonts`, the fonts of system and user with
   * fontconfig's configuration and caches, always `ro`.
   */
  readonly path: string;
  readonly mode: FilesystemMode;
}

/** A file or directory of the host by descriptor, at the same path as on the host unless another is given. */
export interface FilesystemDescriptorGrant {
  /** Owned by the caller, who keeps it open until the launch has ended. */
  readonly fd: number;
  readonly mode: Exclude<FilesystemMode, "create">;
  /** Where the child sees it: an absolute path, or null for its path on the host. */
  readonly path: string | null;
}

export type BusPolicy = "none" | "see" | "talk" | "own";

export type Limit =
  | "memory"
  | "address-space"
  | "cpu-time"
  | "file-size"
  | "open-files"
  | "processes"
  | "core"
  | "tmpfs"
  | "timeout";

/** One entry of `[Syscalls]`. */
export interface SyscallEntry {
  /** A system call's name, or a group with systemd's name for it, `@` included. */
  readonly name: string;
  /** The errno that a refused call gets (`EPERM`, …), or null for the list's own. */
  readonly errno: string | null;
}

/**
 * `default`: the block-list that Flatpak, WebKitGTK and GNOME share. `allow`: only these, besides systemd's `@default`.
 * `block`: the default's entries and these as well.
 */
export type SyscallPolicy =
  | { readonly kind: "default" }
  | { readonly kind: "allow"; readonly entries: readonly SyscallEntry[]; readonly errno: string }
  | { readonly kind: "block"; readonly entries: readonly SyscallEntry[]; readonly errno: string };

export interface PermissionSet {
  readonly shared: ReadonlySet<Share>;
  /** Never both `x11` and `fallback-x11`. */
  readonly sockets: ReadonlySet<Socket>;
  readonly devices: ReadonlySet<Device>;
  readonly filesystems: readonly FilesystemGrant[];
  readonly filesystemDescriptors: readonly FilesystemDescriptorGrant[];
  /**
   * What `!PATH` took away, in the form of `FilesystemGrant.path`: if it lies in something granted, the child must not see
   * what is there. What is granted below it is seen all the same. Never one of the words with `host`.
   */
  readonly hiddenPaths: readonly string[];
  /**
   * The `-try` forms: those of `sockets`, of `devices`, and of the paths of `filesystems` that are left out if the host
   * does not have them. For all others that is an error. `fallback-x11` is never here: it needs no such form.
   */
  readonly optionalSockets: ReadonlySet<Socket>;
  readonly optionalDevices: ReadonlySet<Device>;
  readonly optionalFilesystems: ReadonlySet<string>;
  /**
   * Well-known names, or with `.*` at the end a name and all below it. Never `none`: such a name is not in the map, and no
   * name with `.*` covers it.
   */
  readonly sessionBus: ReadonlyMap<string, BusPolicy>;
  readonly systemBus: ReadonlyMap<string, BusPolicy>;
  /** `org.freedesktop.portal.*` on the session bus. */
  readonly portals: boolean;
  /** The accessibility bus. */
  readonly a11y: boolean;
  /** Variables that the profile sets, or takes away (null). The launcher's own come after them. Names as in a shell. */
  readonly environment: ReadonlyMap<string, string | null>;
  /** Bytes, seconds of CPU time, counts, or (timeout) milliseconds. */
  readonly limits: ReadonlyMap<Limit, number>;
  readonly syscalls: SyscallPolicy;
}
