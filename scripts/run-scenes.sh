#!/usr/bin/env bash
# Runs every shipped scene headless with its simulated plant and demands that its signals arrive in good quality.
set -eu
pollux=${1:?usage: run-scenes.sh PROGRAM}
state=$(mktemp)
trap 'rm -f "$state"' EXIT
for scene in scenes/*/scene.ron; do
    "$pollux" live "$scene" --headless --plant --for 12s --state "$state"
    python3 - "$scene" "$state" <<'PY'
import json, sys
scene, state = sys.argv[1], json.load(open(sys.argv[2]))
signals = {f"{twin}.{name}": signal
           for twin, body in state["twins"].items() for name, signal in body["signals"].items()}
# What only an operator's commands bring has no value as long as nobody gives any.
signals = {path: s for path, s in signals.items() if not (path.endswith("_order") and s["value"] is None)}
bad = {path: (s["quality"], s.get("reason")) for path, s in signals.items() if s["quality"] != "Good"}
for name, source in state["sources"].items():
    lost = {k: source[k] for k in ("decode_errors", "dropped", "unknown_topics") if source[k]}
    assert source["state"] == "connected", f"{scene}: source {name} is {source['state']}: {source['error']}"
    assert not lost, f"{scene}: source {name}: {lost}"
assert not bad, f"{scene}: {len(bad)} of {len(signals)} signals are not good: {bad}"
print(f"{scene}: {len(state['twins'])} twins, {len(signals)} signals, all good")
PY
done

# What they ship can be played: at its end the alarms of the incident stand.
for recording in scenes/*/incident.mcap; do
    "$pollux" info "$recording" >/dev/null
    "$pollux" play "$recording" --headless --at 6m30s --state "$state"
    python3 - "$recording" "$state" <<'PY'
import json, sys
recording, state = sys.argv[1], json.load(open(sys.argv[2]))
alarms = [f"{twin}/{a['rule']}" for twin, body in state["twins"].items() for a in body["alarms"]]
assert alarms, f"{recording}: no alarm at 6m30s: what is the incident?"
assert not state["troubles"], f"{recording}: {state['troubles']}"
print(f"{recording}: {', '.join(alarms)}")
PY
done
