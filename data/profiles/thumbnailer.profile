# thumbnailer: programs that make a small picture of one file, as gdk-pixbuf-thumbnailer and the *.thumbnailer files of
# documents and videos have them. They parse what came from anywhere, with large libraries.
#
# The file to read and the place to write to are granted by whoever launches: --filesystem=FILE:ro.

[Context]
# text in documents and SVG needs fonts; fontconfig's caches with them, else each run builds its own
filesystems=host-fonts:ro-try;

[Environment]
# GIO shall not look for gvfs and dconf on a bus that is not there
GIO_USE_VFS=local
GSETTINGS_BACKEND=memory

[Limits]
# a video's decoder keeps a few frames of 4K and its references
memory=2G
# a minute of one core
cpu-time=60s
# a large or broken file must not hold a queue of thumbnails up
timeout=30s
# a thumbnail is small; a program that unpacks an archive to /tmp gets as far as this
file-size=256M
tmpfs=256M
# threads count too: decoders start one for each core
processes=256
open-files=256
# what a hostile file made of the process is for nobody to look at
core=0
