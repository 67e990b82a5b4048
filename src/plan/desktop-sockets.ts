import type { PermissionSet, Socket } from "../permissions/permission-set.js";
import { sandboxError } from "../subprocess/glib-error.js";
import { printable } from "../subprocess/printable.js";
import type { DesktopFacts, HostFacts } from "./host-facts.js";
import type { HostPart, PartExtras } from "./host-path.js";
import { withoutPath } from "./host-path.js";
import { sandboxDirectories } from "./root-filesystem.js";
import { authorityFor } from "./x-authority.js";
import type { XDisplay } from "./x-display.js";
import { displaySocket, parseDisplay } from "./x-display.js";

/**
 * The sockets of the desktop that permissions name, buses aside: where they are on the host, and where the child finds
 * them. Clients look at the variables that come with them.
 *
 * @throws GLibError `gio-sandbox-error-quark` NOT_ENFORCEABLE for `inherit-wayland-socket`
 */
export function socketParts(permissions: PermissionSet, host: HostFacts, desktop: DesktopFacts): readonly HostPart[] {
  const sockets = new Sockets(permissions, host, desktop);
  return [...permissions.sockets].flatMap((socket) => {
    const parts = sockets.parts(socket);
    return permissions.optionalSockets.has(socket) ? parts.map((part) => ({ ...part, missing: null })) : parts;
  });
}

class Sockets {
  readonly #permissions: PermissionSet;
  readonly #desktop: DesktopFacts;
  /** The child's runtime directory. */
  readonly #runtime: string;

  constructor(permissions: PermissionSet, host: HostFacts, desktop: DesktopFacts) {
    this.#permissions = permissions;
    this.#desktop = desktop;
    this.#runtime = sandboxDirectories(host.uid).runtime;
  }

  parts(socket: Socket): readonly HostPart[] {
    switch (socket) {
      case "wayland":
        return [this.#wayland()];
      case "x11":
        return [this.#x11("x11")];
      case "fallback-x11":
        return this.#permissions.sockets.has("x11") ? [] : this.#fallbackX11();
      case "pulseaudio":
        return [this.#pulseaudio()];
      case "pipewire":
        return [this.#pipewire()];
      case "cups":
        return [this.#cups()];
      case "ssh-auth":
        return [this.#sshAgent()];
      case "gpg-agent":
        return [this.#gpgAgent()];
      case "pcsc":
        return [this.#pcsc()];
      case "inherit-wayland-socket":
        throw sandboxError(
          "NOT_ENFORCEABLE",
          "socket=inherit-wayland-socket: a connection to the compositor that this program holds cannot be shared with a " +
            "child that is confined more than it. Make a new connection, give it to the child with takeFd(), and set " +
            "WAYLAND_SOCKET to its number there.",
        );
      case "session-bus":
      case "system-bus":
        // with the other buses
        return [];
    }
  }

  #wayland(): HostPart {
    const display = this.#variable("WAYLAND_DISPLAY") ?? "wayland-0";
    const candidates = display.startsWith("/") ? [display] : this.#inRuntimeDirectory(display);
    return this.#socket("wayland", candidates, `${this.#runtime}/wayland-0`, {
      ...{ what: "there is no Wayland display", lacking: "neither an absolute WAYLAND_DISPLAY nor XDG_RUNTIME_DIR is set" },
      variables: { WAYLAND_DISPLAY: "wayland-0" },
      ...(this.#permissions.sockets.has("fallback-x11") ? { orElse: "socket=fallback-x11" } : {}),
    });
  }

  #fallbackX11(): HostPart[] {
    const unless = this.#permissions.sockets.has("wayland") ? { unless: "socket=wayland" } : {};
    return [{ ...this.#x11("fallback-x11"), missing: null, ...unless }];
  }

  #x11(word: "x11" | "fallback-x11"): HostPart {
    const text = this.#variable("DISPLAY");
    const display = parseDisplay(text ?? "");
    if (display === null) {
      const why = text === null ? "DISPLAY is not set" : `DISPLAY is “${printable(text, 80)}”, which names no display`;
      return absent(word, `there is no X display: ${why}`);
    }
    const extras = this.#xExtras(display);
    if (display.host !== null) return this.#remoteX11(word, display.host, extras);
    const path = displaySocket(display);
    // It listens on the abstract name as well, which clients try first: that is reached with the host's network only.
    if (this.#hasNetwork && this.#desktop.abstractSockets.has(path)) {
      return { ...this.#socket(word, [path], path, { what: "" }), missing: null, applies: "always", extras };
    }
    const what = `there is no X server for DISPLAY=${printable(text ?? "", 80)}`;
    return { ...this.#socket(word, [path], path, { what }), extras };
  }

  #remoteX11(word: Socket, host: string, extras: PartExtras): HostPart {
    if (!this.#hasNetwork) {
      return absent(
        word,
        `the X server is on another machine (“${printable(host, 80)}” in DISPLAY), or reached as if it were, ` +
          "and the sandbox has no network: add share=network, or use a local display",
      );
    }
    return { wanted: withoutPath(`socket=${word}`), target: null, access: "ro", missing: null, applies: "always", extras };
  }

  #xExtras(display: XDisplay): PartExtras {
    const { environment, hostname, xAuthority } = this.#desktop;
    const name = environment["XAUTHLOCALHOSTNAME"] ?? hostname;
    const authority = xAuthority === null ? null : authorityFor(display, xAuthority, name);
    const path = `${this.#runtime}/Xauthority`;
    const DISPLAY = `${display.host ?? ""}:${display.number}`;
    if (authority === null) return { variables: { DISPLAY } };
    return { variables: { DISPLAY, XAUTHORITY: path }, files: [{ path, bytes: authority, mode: "0600" }] };
  }

  /** The socket only: no ALSA devices, which Flatpak adds to it. */
  #pulseaudio(): HostPart {
    const target = `${this.#runtime}/pulse/native`;
    const configuration = `${this.#runtime}/pulse/client.conf`;
    const cookie = `${this.#runtime}/pulse/cookie`;
    const { pulseCookie } = this.#desktop;
    return this.#socket("pulseaudio", this.#pulseCandidates(), target, {
      ...{ what: "there is no PulseAudio server", lacking: "neither PULSE_SERVER nor XDG_RUNTIME_DIR names a socket" },
      variables: {
        ...{ PULSE_SERVER: `unix:${target}`, PULSE_CLIENTCONFIG: configuration },
        ...(pulseCookie === null ? {} : { PULSE_COOKIE: cookie }),
      },
      files: [
        { path: configuration, bytes: new TextEncoder().encode(PULSE_CONFIGURATION), mode: "0600" },
        ...(pulseCookie === null ? [] : [{ path: cookie, bytes: pulseCookie, mode: "0600" } as const]),
      ],
    });
  }

  /** PULSE_SERVER is a list, tried in turn (“Server Strings” in PulseAudio's documentation). */
  #pulseCandidates(): string[] {
    const server = this.#variable("PULSE_SERVER");
    if (server !== null) {
      const entries = server.split(/\s+/).map((entry) => entry.replace(/^\{[^}]*\}/, "").replace(/^unix:/, ""));
      return entries.filter((entry) => entry.startsWith("/"));
    }
    const directory = this.#variable("PULSE_RUNTIME_PATH");
    if (directory !== null) return [`${directory}/native`];
    return [...this.#inRuntimeDirectory("pulse/native"), "/run/pulse/native"];
  }

  #pipewire(): HostPart {
    const remote = this.#variable("PIPEWIRE_REMOTE") ?? "pipewire-0";
    const directory = this.#variable("PIPEWIRE_RUNTIME_DIR");
    const inDirectory = directory === null ? this.#inRuntimeDirectory(remote) : [`${directory}/${remote}`];
    return this.#socket("pipewire", remote.startsWith("/") ? [remote] : inDirectory, `${this.#runtime}/pipewire-0`, {
      ...{ what: "there is no PipeWire server", lacking: "neither PIPEWIRE_RUNTIME_DIR nor XDG_RUNTIME_DIR is set" },
      variables: { PIPEWIRE_REMOTE: "pipewire-0" },
    });
  }

  #cups(): HostPart {
    const server = this.#variable("CUPS_SERVER") ?? "";
    const usual = ["/run/cups/cups.sock", "/var/run/cups/cups.sock"];
    return this.#socket("cups", server.startsWith("/") ? [server] : usual, "/run/cups/cups.sock", {
      what: "there is no print server",
      variables: { CUPS_SERVER: "/run/cups/cups.sock" },
    });
  }

  #sshAgent(): HostPart {
    const socket = this.#variable("SSH_AUTH_SOCK") ?? "";
    const target = `${this.#runtime}/ssh-auth`;
    return this.#socket("ssh-auth", socket.startsWith("/") ? [socket] : [], target, {
      ...{ what: "there is no SSH agent", lacking: "SSH_AUTH_SOCK is not an absolute path" },
      variables: { SSH_AUTH_SOCK: target },
    });
  }

  /** GnuPG finds it without a variable, where its directory is for the user alone. */
  #gpgAgent(): HostPart {
    const home = this.#variable("GNUPGHOME");
    const usual = [...this.#inRuntimeDirectory("gnupg/S.gpg-agent"), `${this.#desktop.home}/.gnupg/S.gpg-agent`];
    return this.#socket("gpg-agent", home === null ? usual : [`${home}/S.gpg-agent`], `${this.#runtime}/gnupg/S.gpg-agent`, {
      what: "there is no GnuPG agent (gpgconf --launch gpg-agent starts one)",
      directories: [`${this.#runtime}/gnupg`],
    });
  }

  #pcsc(): HostPart {
    const path = "/run/pcscd/pcscd.comm";
    return this.#socket("pcsc", [this.#variable("PCSCLITE_CSOCK_NAME") ?? path], path, {
      what: "there is no smart card service",
      variables: { PCSCLITE_CSOCK_NAME: path },
    });
  }

  /** Read-only: connect(2) needs to write to the socket, not to the mount; what would change the file is refused. */
  #socket(word: Socket, candidates: readonly string[], target: string, details: SocketDetails): HostPart {
    const { what, lacking, orElse, ...extras } = details;
    const permission = `socket=${word}`;
    const paths = candidates.map((path) => printable(path, 200)).join(" and ");
    const reason = candidates.length === 0 ? (lacking ?? "") : `looked for a socket at ${paths}`;
    const part = { target, access: "ro", missing: `${permission}: ${what}: ${reason}`, extras } as const;
    const wanted = { permission, candidates, type: "socket", ifMissing: "skip" } as const;
    return orElse === undefined ? { ...part, wanted } : { ...part, wanted, orElse };
  }

  get #hasNetwork(): boolean {
    return this.#permissions.shared.has("network");
  }

  #inRuntimeDirectory(name: string): string[] {
    const directory = this.#variable("XDG_RUNTIME_DIR") ?? "";
    return directory.startsWith("/") ? [`${directory}/${name}`] : [];
  }

  #variable(name: string): string | null {
    const value = this.#desktop.environment[name] ?? "";
    return value === "" || value.includes("\0") ? null : value;
  }
}

/** No memory that is shared with the server, which is in other namespaces: pulse-client.conf(5). */
const PULSE_CONFIGURATION = "autospawn = no\nenable-shm = no\nenable-memfd = no\n";

interface SocketDetails extends PartExtras {
  /** What it means that it is missing. */
  readonly what: string;
  /** Why there is nowhere to look. */
  readonly lacking?: string;
  readonly orElse?: string;
}

function absent(word: Socket, reason: string): HostPart {
  return { wanted: withoutPath(`socket=${word}`), target: null, access: "ro", missing: `socket=${word}: ${reason}` };
}
