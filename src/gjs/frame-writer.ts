import Gio from "gi://Gio?version=2.0";
import GLib from "gi://GLib?version=2.0";
import { watchDescriptor } from "./event-loop.js";
import { isGioError } from "./gio-error.js";
import { fdMessage } from "./unix.js";

/*
 * Namesake of src/node/frame-writer.ts.
 *
 * GJS cannot say which bytes go with descriptors: a message that it gives none has one, a zero. So what goes with them is a
 * zero that the frames have anyway, such as the last byte of a length.
 */

/** A part of what is to be sent, in one message. */
interface Message {
  readonly bytes: Uint8Array;
  /** Duplicates that go with `bytes`, which are one zero then. */
  readonly descriptors: Gio.UnixFDList | null;
}

/** The way to an init, over its control socket. */
export class FrameWriter {
  readonly #socket: Gio.Socket;
  readonly #queue: Message[] = [];
  #stopWriting: (() => void) | null = null;
  #isClosed = false;

  /** @param socket does not block; it stays the caller's */
  constructor(socket: Gio.Socket) {
    this.#socket = socket;
  }

  /**
   * Sends whole frames, the first of which may be a LAUNCH that names `descriptors` as received ones. They stay the
   * caller's, who may close them as soon as this has returned. An init that is gone is no error: it shows as the end.
   */
  write(frames: Uint8Array, descriptors: readonly number[] = []): void {
    if (this.#isClosed) return;
    this.#queue.push(...messagesOf(frames, descriptors));
    if (this.#stopWriting === null) this.#send();
  }

  /** Sends nothing any more: before the socket is closed. */
  close(): void {
    this.#isClosed = true;
    this.#discard();
  }

  /** As much as there is room for; the rest when there is more. */
  #send(): void {
    try {
      for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) this.#sendHead(head);
      this.#stopWriting?.();
      this.#stopWriting = null;
    } catch (error) {
      if (isGioError(error, Gio.IOErrorEnum.WOULD_BLOCK)) {
        this.#stopWriting ??= watchDescriptor(this.#socket.get_fd(), GLib.IOCondition.OUT, () => this.#send());
        return;
      }
      // an init that is gone shows as the end of what it says; what could not be written to it does not matter then
      this.#discard();
    }
  }

  #sendHead({ bytes, descriptors }: Message): void {
    if (descriptors !== null) {
      this.#socket.send_message(null, [], [fdMessage(descriptors)], Gio.SocketMsgFlags.NONE, null);
      this.#queue.shift();
      closeAll(descriptors);
      return;
    }
    const sent = this.#socket.send(bytes, null);
    if (sent === bytes.length) this.#queue.shift();
    else this.#queue[0] = { bytes: bytes.subarray(sent), descriptors };
  }

  #discard(): void {
    this.#stopWriting?.();
    this.#stopWriting = null;
    for (const { descriptors } of this.#queue.splice(0)) if (descriptors !== null) closeAll(descriptors);
  }
}

/** SCM_MAX_FD: descriptors in one message. */
const MOST_AT_ONCE = 253;

/** Cuts frames up so that descriptors go with zeros in them: the last ones, since most frames end with one. */
function messagesOf(frames: Uint8Array, descriptors: readonly number[]): Message[] {
  const messages: Message[] = [];
  let start = 0;
  const add = (end: number): void => {
    if (end > start) messages.push({ bytes: frames.subarray(start, end), descriptors: null });
  };
  const zeros = lastZeros(frames, Math.ceil(descriptors.length / MOST_AT_ONCE));
  for (const [batch, zero] of zeros.entries()) {
    const first = batch * MOST_AT_ONCE;
    add(zero);
    const together = duplicates(descriptors.slice(first, first + MOST_AT_ONCE));
    messages.push({ bytes: frames.subarray(zero, zero + 1), descriptors: together });
    start = zero + 1;
  }
  add(frames.length);
  return messages;
}

/** Where the last so many zeros are, in ascending order. */
function lastZeros(frames: Uint8Array, count: number): number[] {
  const places: number[] = [];
  for (let end = frames.length; places.length < count; ) {
    const zero = frames.lastIndexOf(0, end - 1);
    if (zero < 0 || end === 0) throw new RangeError("There is no zero left in the frames for descriptors to go with");
    places.unshift(zero);
    end = zero;
  }
  return places;
}

function duplicates(descriptors: readonly number[]): Gio.UnixFDList {
  const list = Gio.UnixFDList.new();
  for (const descriptor of descriptors) list.append(descriptor);
  return list;
}

/** At once, and not when the list is collected: somebody waits for the end of a pipe. */
function closeAll(descriptors: Gio.UnixFDList): void {
  for (const descriptor of descriptors.steal_fds()) GLib.close(descriptor);
}
