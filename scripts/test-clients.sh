#!/bin/sh
# Fetches what others made and the tests hold Pollux against: the MQTT clients paho-mqtt (Python) and mqtt (JavaScript),
# and the MCAP reader mcap (Python, with zstandard and lz4).
# Where: $POLLUX_TEST_CLIENTS, else test-clients in cargo's target folder. Does nothing when they are there already.
set -eu

paho=2.1.0
mqttjs=5.14.1
mcap=1.6.0

root=$(cd "$(dirname "$0")/.." && pwd)
to=${POLLUX_TEST_CLIENTS:-${CARGO_TARGET_DIR:-$root/target}/test-clients}
stamp="paho-mqtt $paho, mqtt $mqttjs, mcap $mcap"
if [ "$(cat "$to/stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

for tool in python3 npm; do
    command -v "$tool" >/dev/null || { echo "test-clients: $tool is missing; install python3, pip and npm" >&2; exit 1; }
done
echo "test-clients: installing $stamp in $to" >&2
rm -rf "$to/python" "$to/node" "$to/stamp"
mkdir -p "$to/python" "$to/node"
python3 -m pip install --quiet --no-compile --disable-pip-version-check --target "$to/python" \
    "paho-mqtt==$paho" "mcap==$mcap"
npm install --silent --no-audit --no-fund --no-save --prefix "$to/node" "mqtt@$mqttjs"
echo "$stamp" >"$to/stamp"
