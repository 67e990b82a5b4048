# image-loader: a process that decodes one image and hands the pixels over, as gio-sandbox-pixbuf-loader and glycin's loaders.
# It gets its input and gives its output through descriptors, so that not even the image's own name is known inside.
#
# System calls are those of every sandbox. A loader that is known to need no more can have the group that services have:
# --syscalls=@system-service, or here [Syscalls] with filter=@system-service;

[Context]
# SVG has text in it
filesystems=host-fonts:ro-try;

[Environment]
# GIO shall not look for gvfs and dconf on a bus that is not there
GIO_USE_VFS=local
GSETTINGS_BACKEND=memory

[Limits]
# 16384 by 16384 pixels of 4 bytes are 1 GiB: such an image and not two of them
memory=1536M
# pixels in a memory file count as a file's size
file-size=1G
# a picture that takes longer than this is not going to be shown
cpu-time=30s
timeout=30s
# nothing but scratch files
tmpfs=64M
# rav1e, libheif and libjxl decode with a thread for each core
processes=256
open-files=64
core=0
