#!/usr/bin/env python3
"""Keeps the level of the feed tank of the bottling hall: an example of a controller that `pollux test` can try.

It stands in for LIC-100: it reads the level of T-100 and publishes how far V-101 is to open. Needs paho-mqtt 2.

    python3 scenes/bottling/controller/level.py --lockstep &
    pollux test scenes/bottling/scenarios/level_kept.ron --against mqtt://localhost:1883 --lockstep

With --lockstep it computes once a tick, and acknowledges each: 0 begins a run. Without, it computes with each reading.
"""

import argparse
import json
import sys

import paho.mqtt.client as mqtt

READING = "line1/T-100/telemetry"
COMMAND = "line1/LIC-100/telemetry"
TICK = "pollux/lockstep/tick"
ACK = "pollux/lockstep/ack"


class Controller:
    """Proportional and integral, with an output from 0 to 1 that does not wind up at its ends."""

    def __init__(self, set_point, gain, integral_secs, start):
        self.set_point, self.gain, self.integral_secs, self.start = set_point, gain, integral_secs, start
        self.reset()

    def reset(self):
        self.level, self.integral, self.last = None, self.start, None

    def output(self, secs):
        """The output at a time in seconds; none before the first reading."""
        if self.level is None:
            return None
        error = self.set_point - self.level
        passed = 0.0 if self.last is None else max(0.0, secs - self.last)
        self.last = secs
        integral = self.integral + self.gain * error * passed / self.integral_secs
        output = min(1.0, max(0.0, integral + self.gain * error))
        if 0.0 < output < 1.0:
            self.integral = integral
        return output, error


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--host", default="localhost")
    arguments.add_argument("--port", type=int, default=1883)
    arguments.add_argument("--lockstep", action="store_true")
    arguments.add_argument("--gain", type=float, default=2.0, help="of the valve's way, by metre")
    given = arguments.parse_args()
    controller = Controller(set_point=1.8, gain=given.gain, integral_secs=600.0, start=0.75)

    def command(client, secs):
        found = controller.output(secs)
        if found is None:
            return
        output, error = found
        said = {"output": round(100.0 * output, 3), "set_point": controller.set_point, "error": round(error, 4)}
        client.publish(COMMAND, json.dumps(said), qos=1)

    def on_message(client, _, message):
        try:
            said = json.loads(message.payload)
            read(client, message.topic, said)
        except (ValueError, KeyError, TypeError, AttributeError) as broken:
            # A message with wrong bytes: the last level holds.
            print(f"not understood on {message.topic}: {broken}", file=sys.stderr)

    def read(client, topic, said):
        if topic == READING:
            controller.level = said.get("level", controller.level)
            if not given.lockstep:
                command(client, said["ts"] / 1000.0)
        elif topic == TICK:
            if said["n"] == 0:
                controller.reset()
            else:
                command(client, said["secs"])
            # Commands first, by the same quality of service: they belong to this tick.
            client.publish(ACK, json.dumps({"n": said["n"]}), qos=1)

    def on_connect(client, *_):
        client.subscribe([(READING, 1)] + ([(TICK, 1)] if given.lockstep else []))

    def on_subscribe(*_):
        print("ready", flush=True)

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect(given.host, given.port)
    client.loop_forever()


if __name__ == "__main__":
    main()
