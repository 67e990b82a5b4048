import GLib from "gi://GLib?version=2.0";
import Gio from "gi://Gio?version=2.0";
import { checkedCall } from "../service-call.js";
import { Operation } from "../system-call-protocol.js";
import { UnixInputStream, UnixOutputStream } from "../unix.js";
import { pid } from "./process.js";

export const constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_TRUNC: 0o1000, O_NONBLOCK: 0o4000, O_DIRECTORY: 0o200000, O_NOFOLLOW: 0o400000, F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 };
const enc = new TextEncoder();
function data(path: string): Uint8Array { return enc.encode(path.replace(/^\/proc\/self(?=\/)/, `/proc/${pid}`)); }
function fail(what: string) { return (errno: string) => Object.assign(new Error(`${what}: ${errno}`), { code: errno }); }
function run(operation: any, path: string, a = 0, b = 0, makes = 0) { return checkedCall({ operation, a, b, data: data(path), makes }, fail(path)); }
export function openSync(path: string, flags: number, mode = 0o666): number { return run(Operation.OPEN, path, flags, mode, 1).descriptors[0]!; }
export function open(path: string, flags: number, mode: number, cb: any): void { try { cb(null, openSync(path, flags, mode)); } catch (e) { cb(e); } }
export function closeSync(fd: number): void { GLib.close(fd); }
class Stats { constructor(v: DataView, big: boolean) { const n = (i: number) => big ? v.getBigUint64(i * 8, true) : Number(v.getBigUint64(i * 8, true)); this.dev = n(0); this.ino = n(1); this.mode = n(2); this.uid = n(4); this.gid = n(5); this.rdev = n(6); this.size = n(7); }
 dev: any; ino: any; mode: any; uid: any; gid: any; rdev: any; size: any;
 #t() { return Number(this.mode) & 0o170000; }
 isFile() { return this.#t() === 0o100000; } isDirectory() { return this.#t() === 0o40000; } isSocket() { return this.#t() === 0o140000; } isSymbolicLink() { return this.#t() === 0o120000; } isCharacterDevice() { return this.#t() === 0o20000; } isBlockDevice() { return this.#t() === 0o60000; } }
function st(op: any, path: string, o: any = {}): any { try { const d = run(op, path).data; return new Stats(new DataView(d.buffer, d.byteOffset), o.bigint === true); } catch (e: any) { if (o.throwIfNoEntry === false && (e.code === "ENOENT" || e.code === "ENOTDIR")) return undefined; throw e; } }
export function statSync(p: string, o?: any): any { return st(Operation.STAT, p, o); }
export function lstatSync(p: string, o?: any): any { return st(Operation.LSTAT, p, o); }
export function fstatSync(fd: number, o?: any): any { return st(Operation.STAT, `/proc/self/fd/${fd}`, o); }
export function readFileSync(path: any, e?: any): any { const p = typeof path === "string" ? path : GLib.filename_from_uri(path.href)[0]; try { const [, b] = GLib.file_get_contents(p); return e === undefined ? b : new TextDecoder(typeof e === "string" ? e : e.encoding).decode(b); } catch (x) { throw fail(p)("ENOENT"); } }
export function readSync(fd: number, buf: Uint8Array, off: number, len: number, pos: number | null): number { const s = pos === null ? fd : openSync(`/proc/self/fd/${fd}`, 0); try { const st = new UnixInputStream({ fd: s, close_fd: false }); if (pos) st.skip(pos, null); const b = st.read_bytes(len, null).toArray(); buf.set(b, off); return b.length; } finally { if (s !== fd) closeSync(s); } }
export function writeSync(fd: number, bytes: any, off = 0, len = bytes.length, pos: number | null = null): number { if (typeof bytes === "string") { bytes = enc.encode(bytes); len = bytes.length; } const s = pos === null ? fd : openSync(`/proc/self/fd/${fd}`, 1); try { if (pos) throw new Error("pos"); const o = new UnixOutputStream({ fd: s, close_fd: false }); return o.write_bytes(new GLib.Bytes(bytes.subarray(off, off + len)), null); } finally { if (s !== fd) closeSync(s); } }
export function writeFileSync(fd: any, text: string): void { const b = enc.encode(text); for (let o = 0; o < b.length;) o += writeSync(fd, b, o, b.length - o); }
export function existsSync(p: string): boolean { return GLib.file_test(p, GLib.FileTest.EXISTS); }
export function accessSync(p: string, m = 0): void { run(Operation.ACCESS, p, m); }
export function readdirSync(p: string, o?: any): any { const d = GLib.Dir.open(p, 0); const names: string[] = []; for (let n = d.read_name(); n !== null; n = d.read_name()) names.push(n); d.close(); names.sort(); if (!o?.withFileTypes) return names; return names.map((name) => Object.assign(lstatSync(`${p}/${name}`), { name })); }
export function readlinkSync(p: string): string { return new TextDecoder().decode(run(Operation.READLINK, p).data); }
export function realpathSync(p: string): string { const fd = openSync(p, 0o10000000); try { return readlinkSync(`/proc/self/fd/${fd}`); } finally { closeSync(fd); } }
export function mkdirSync(p: string, o: any = {}): void { if (o.recursive) { GLib.mkdir_with_parents(p, o.mode ?? 0o777); return; } run(Operation.MKDIR, p, o.mode ?? 0o777); }
export function rmdirSync(p: string): void { run(Operation.RMDIR, p); }
export function unlinkSync(p: string): void { run(Operation.UNLINK, p); }
export function mkdtempSync(p: string): string { return GLib.mkdtemp(`${p}XXXXXX`)!; }
export function rmSync(p: string): void { unlinkSync(p); }
export function renameSync(a: string, b: string): void { run(Operation.RENAME, `${a}\0${b}`); }
