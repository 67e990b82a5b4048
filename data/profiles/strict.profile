# strict: what a launch has if nobody says anything: no network, no files but /usr, no display, no bus, no devices.
#
# Nothing is granted here on purpose. Start from it with --profile=strict, or new SandboxPermissions(), and add what the
# program needs.
