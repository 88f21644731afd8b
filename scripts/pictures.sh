#!/usr/bin/env bash
# Makes the pictures of the README with the program itself.
set -eu
pollux=${1:?usage: pictures.sh PROGRAM}
mkdir -p assets/pictures
"$pollux" shot scenes/bottling/scene.ron --plant --plant-speed 12 --at 25s --size 1600x900 --select P-101 -o assets/pictures/bottling.png
