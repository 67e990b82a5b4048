import { machine } from "../machine.js";

// include/uapi/asm-generic/fcntl.h, and what arch/arm64/include/uapi/asm/fcntl.h has of its own
const [O_DIRECTORY, O_NOFOLLOW] = machine() === "aarch64" ? [0o40000, 0o100000] : [0o200000, 0o400000];

export const constants = {
  F_OK: 0,
  X_OK: 1,
  W_OK: 2,
  R_OK: 4,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY,
  O_NOFOLLOW,
} as const;
