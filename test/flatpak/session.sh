#!/bin/sh
# A user's session for Flatpak, in namespaces of its own, from which nothing is left when its standard input ends:
#
#   session.sh DIRECTORY CACHE UID GID
#
# DIRECTORY is a new directory of that user, which is removed at the end; CACHE, which the session sees at
# DIRECTORY/cache, stays. Root starts it for an unprivileged user, anyone else for himself. Says the pid whose namespaces
# to enter, then "ready". The session has a mount namespace, and a pid namespace, whose end takes everything along.
set -eu

# In the session, as its user and as its first process: starts the buses, and reaps.
session() {
  # Flatpak's portal does not do without a system-wide installation, be it empty
  ostree init --repo="$directory/system/repo" --mode=bare-user-only
  for bus in session system; do
    dbus-daemon --config-file="$directory/$bus.conf" --nofork --nopidfile 2>>"$directory/bus.log" &
    until [ -S "$directory/$bus-bus" ]; do
      kill -0 $! 2>/dev/null || { cat "$directory/bus.log" >&2; exit 1; }
      sleep 0.02
    done
  done
  echo ready
  wait
}

# In the session's namespaces, with the power to mount: the user may not be able to reach the cache where it is, nor
# /dev/fuse, which udev makes for everyone where it runs.
prepare() {
  mount --bind "$cache" "$directory/cache"
  if [ "$(id -u)" != 0 ]; then
    exec setpriv --inh-caps=-all --ambient-caps=-all sh "$directory/session.sh" session "$@"
  fi
  if [ -e /dev/fuse ]; then
    mount -t tmpfs -o mode=0755 tmpfs "$directory/device"
    mknod "$directory/device/fuse" c 10 229
    chmod 0666 "$directory/device/fuse"
    mount --bind "$directory/device/fuse" /dev/fuse
  fi
  # a change of the uid forgets whose end this process dies of: it is set after that
  exec setpriv --reuid "$uid" --regid "$gid" --clear-groups --pdeathsig KILL sh "$directory/session.sh" session "$@"
}

# Outside: waits for the end of its input, or of the session.
keep() {
  if [ "$(id -u)" = 0 ]; then user=''; else user='--user --map-current-user --keep-caps'; fi
  # the user may not be able to reach this file where it is
  cp "$0" "$directory/session.sh"
  chmod 0644 "$directory/session.sh"
  exec 3<&0
  # shellcheck disable=SC2086 # words
  setpriv --pdeathsig KILL unshare $user --mount --pid --fork --kill-child=KILL --mount-proc \
    sh "$directory/session.sh" prepare "$@" 3<&- &
  holder=$!
  echo "$holder"
  (
    # the other end is the test runner's: if that is killed, this comes too
    read -r _ <&3 || true
    # the namespace's first process, once there is one; unshare waits for it, and it for all the others
    while kill -0 "$holder"; do
      first=$(tr -d ' ' <"/proc/$holder/task/$holder/children")
      [ -z "$first" ] || kill -KILL "$first"
      sleep 0.05
    done
  ) 2>/dev/null &
  watcher=$!
  trap '' HUP INT TERM
  wait "$holder" || true
  kill -KILL "$watcher" 2>/dev/null || true
  rm -rf "$directory"
}

case $1 in
  prepare | session) act=$1; shift ;;
  *) act=keep ;;
esac
directory=$1 cache=$2 uid=$3 gid=$4
"$act" "$@"
