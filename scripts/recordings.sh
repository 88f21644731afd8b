#!/usr/bin/env bash
# Makes the recordings that scenes ship, with the program itself: seven minutes of each scene's simulated plant, in which
# something goes wrong.
set -eu
pollux=${1:?usage: recordings.sh PROGRAM}
for scene in scenes/*/scene.ron; do
    recording=${scene%scene.ron}incident.mcap
    rm -f "$recording"
    "$pollux" record "$scene" --plant --plant-speed 10 --no-store --operator Pollux --for 42s -o "$recording"
    ls -l "$recording" >&2
done
