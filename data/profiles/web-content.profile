# web-content: the process of a browser engine that runs a page's scripts and draws it, as WebKit's WebProcess and Chromium's
# renderers. The network, the files and the bus belong to another process, which talks to this one through descriptors.
#
# An engine whose content process needs more adds it: features=portals; (WebKitGTK asks the portals for settings), features=a11y;
# (screen readers), sockets=x11; (every X11 client can read all keys: Wayland is safer).

[Context]
# to draw with the GPU, which a machine without one lacks
devices=dri-try;
# GL needs a connection to the compositor; sound and video play through PulseAudio
sockets=wayland-try;pulseaudio-try;
# pages have text
filesystems=host-fonts:ro-try;

[Environment]
# GIO shall not look for gvfs and dconf on a bus that is not there
GIO_USE_VFS=local
GSETTINGS_BACKEND=memory

[Limits]
# what engines themselves take for too much in one tab
memory=4G
# shared memory between the processes, and nothing else, is in files
file-size=2G
tmpfs=512M
# a page's workers are threads
processes=512
open-files=4096
# a page's passwords are in memory
core=0
