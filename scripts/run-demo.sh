#!/usr/bin/env bash
# Opens the demo in a window; without a display renders it offscreen and says where the picture is.
set -eu
pollux=${1:?usage: run-demo.sh PROGRAM}
if [ -n "${DISPLAY:-}" ]; then
    exec "$pollux"
fi
# Mesa asks for a Wayland display even so, and complains on standard error.
export NODEVICE_SELECT=1
picture=out/demo.png
mkdir -p out
"$pollux" shot scenes/bottling/scene.ron --plant --at 20s -o "$picture"
echo "No display was found: the demo was rendered offscreen instead. The picture is $PWD/$picture"
