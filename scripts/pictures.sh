#!/usr/bin/env bash
# Makes the pictures of the README with the program itself.
set -eu
pollux=${1:?usage: pictures.sh PROGRAM}
# Mesa's device selection asks for a Wayland display and complains on standard error where there is none.
export NODEVICE_SELECT=1
mkdir -p assets/pictures
# Five simulated minutes in one: the bearing of the feed pump has passed its limit.
"$pollux" shot scenes/bottling/scene.ron --plant --plant-speed 5 --at 5m --size 1600x900 \
    --select P-101 --trend P-101.vibration --trend P-101.bearing_temperature -o assets/pictures/bottling.png
