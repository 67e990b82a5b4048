# meson-test: the tests of a program that is being built. They are not hostile, but may be wrong: no test reaches the network, the
# user's files and settings, or the desktop, so that it passes everywhere or nowhere; and a test that runs away is stopped.
#
# The directories of source and build are granted by whoever launches:
#   meson test --wrapper="gio-sandbox run --profile=meson-test --filesystem=$PWD --cwd=$PWD/build --"

[Environment]
# no settings of the user's, and no services on a bus
GIO_USE_VFS=local
GIO_USE_VOLUME_MONITOR=unix
GSETTINGS_BACKEND=memory
# tests compare messages: one language
LC_ALL=C.UTF-8

[Limits]
# no computer is to be brought to a stop by a test that allocates or forks without an end
memory=8G
processes=4096
file-size=4G
tmpfs=1G
# Meson's own timeout is 30 s for a test, and often multiplied: this is the last resort
timeout=30m
# what test programs use that open many files on purpose
open-files=4096
