"""Fills the second tank of a well to half a metre by the valve before it, or does something wrong. Needs paho-mqtt.

    well_controller.py PORT good|backwards|falls-silent|garbage|quiet [lockstep]
"""

import json
import sys

import paho.mqtt.client as mqtt

PORT, CASE = int(sys.argv[1]), sys.argv[2]
LOCKSTEP = "lockstep" in sys.argv
TICK, ACK = "pollux/lockstep/tick", "pollux/lockstep/ack"
level = None


def command(client):
    if level is None or CASE == "quiet":
        return
    error = level - 0.5 if CASE == "backwards" else 0.5 - level
    opening = "wide open" if CASE == "garbage" else f"{min(100.0, max(0.0, 500.0 * error)):.2f}"
    client.publish("well/V-1/order", opening, qos=1)


def on_message(client, _, message):
    global level
    if message.topic == TICK:
        n = json.loads(message.payload)["n"]
        if n == 0:
            level = None
        elif CASE == "falls-silent" and n > 20:
            return
        command(client)
        client.publish(ACK, json.dumps({"n": n}), qos=1)
    else:
        level = json.loads(message.payload)["level"]
        if not LOCKSTEP:
            command(client)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect = lambda client, *_: client.subscribe([("well/T-2", 1)] + ([(TICK, 1)] if LOCKSTEP else []))
client.on_subscribe = lambda *_: print("ready", flush=True)
client.on_message = on_message
client.connect("127.0.0.1", PORT)
client.loop_forever()
