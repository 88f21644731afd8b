"""Drives a broker with the Paho client. Usage: paho_client.py PORT CASE VERSION (3.1.1 or 5).
Prints what it saw and exits with 0, or fails with the difference."""

import queue
import socket
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PORT = int(sys.argv[1])
V5 = sys.argv[3] == "5"
SPAN = 15.0  # seconds that any one thing may take


class Client:
    def __init__(self, client_id, clean=True, keepalive=30, will=None):
        self.inbox = queue.Queue()
        self.connected = queue.Queue()
        self.acked = queue.Queue()
        kind = dict(protocol=mqtt.MQTTv5) if V5 else dict(protocol=mqtt.MQTTv311, clean_session=clean)
        self.mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id, **kind)
        self.mqtt.max_queued_messages_set(0)
        self.mqtt.reconnect_delay_set(1, 1)
        self.mqtt.on_message = lambda c, u, m: self.inbox.put((m.topic, m.payload, m.qos, m.retain))
        self.mqtt.on_connect = lambda c, u, flags, reason, p: self.connected.put((reason, flags.session_present))
        self.mqtt.on_subscribe = lambda c, u, mid, reasons, p: self.acked.put([r.value for r in reasons])
        if will:
            self.mqtt.will_set(*will)
        more = {}
        if V5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 3600
            more = dict(clean_start=clean, properties=properties)
        self.mqtt.connect("127.0.0.1", PORT, keepalive, **more)
        self.mqtt.loop_start()
        reason, self.session_present = self.connected.get(timeout=SPAN)
        assert not reason.is_failure, f"{client_id!r}: {reason}"

    def subscribe(self, topic, qos):
        self.mqtt.subscribe(topic, qos)
        granted = self.acked.get(timeout=SPAN)
        assert granted == [qos], f"{topic}: granted {granted}"

    def publish(self, topic, payload, qos=1, retain=False):
        return self.mqtt.publish(topic, payload, qos, retain)

    def publish_all(self, messages):
        for sent in [self.publish(*message) for message in messages]:
            sent.wait_for_publish(SPAN)
            assert sent.is_published()

    def take(self, count):
        """The next messages, and no more than those."""
        got = [self.inbox.get(timeout=SPAN) for _ in range(count)]
        time.sleep(0.2)
        assert self.inbox.empty(), f"{self.inbox.qsize()} more than {count}"
        return got

    def end(self):
        self.mqtt.disconnect()
        self.mqtt.loop_stop()

    def vanish(self):
        """Ends without DISCONNECT, as a crash does."""
        self.mqtt.loop_stop()
        self.mqtt.socket().close()


    def cut(self):
        """Breaks the connection; the client connects again by itself."""
        until = time.monotonic() + SPAN
        while not self.mqtt.is_connected() or self.mqtt.socket() is None:
            assert time.monotonic() < until, "not connected again"
            time.sleep(0.01)
        self.mqtt.socket().shutdown(socket.SHUT_RDWR)


def equal(got, wanted):
    assert got == wanted, f"got {str(got)[:400]}, wanted {str(wanted)[:400]}"


def wildcards():
    topics = ["hall/1/temp", "hall/2/temp", "hall/2/temp/raw", "hall", "/hall/1", "yard/1/temp", "$hall/1/temp"]
    filters = {
        "hall/+/temp": ["hall/1/temp", "hall/2/temp"],
        "hall/#": ["hall", "hall/1/temp", "hall/2/temp", "hall/2/temp/raw"],
        "+/+/temp": ["hall/1/temp", "hall/2/temp", "yard/1/temp"],
        "#": ["/hall/1", "hall", "hall/1/temp", "hall/2/temp", "hall/2/temp/raw", "yard/1/temp"],
        "/+/#": ["/hall/1"],
        "$hall/#": ["$hall/1/temp"],
    }
    listeners = {}
    for n, each in enumerate(filters):
        listeners[each] = Client(f"wild-{n}")
        listeners[each].subscribe(each, 1)
    publisher = Client("wild-publisher")
    publisher.publish_all([(topic, b"x", 1) for topic in topics])
    for each, wanted in filters.items():
        equal(sorted(message[0] for message in listeners[each].take(len(wanted))), wanted)
        listeners[each].end()
    publisher.end()


def retained():
    publisher = Client("retained-publisher")
    wanted = [(f"kept/{n:04}", f"value {n}".encode()) for n in range(1000)]
    for qos in range(3):
        publisher.publish_all([(f"q{qos}/{topic}", payload, qos, True) for topic, payload in wanted])
    # Nobody acknowledges QoS 0, but the broker takes what one client sends in order.
    publisher.publish_all([("done", b"", 1)])
    for qos in range(3):
        late = Client(f"late-{qos}")
        late.subscribe(f"q{qos}/#", qos)
        equal(sorted(late.take(1000)), [(f"q{qos}/{topic}", payload, qos, True) for topic, payload in wanted])
        late.end()
        publisher.publish_all([(f"q{qos}/{topic}", b"", qos, True) for topic, _ in wanted])
    later = Client("later")
    later.subscribe("#", 2)
    equal(later.take(0), [])
    later.end()
    publisher.end()


def wills():
    watcher = Client("will-watcher")
    watcher.subscribe("status/+", 1)
    Client("will-a", will=("status/a", b"died", 1, False)).vanish()
    Client("will-b", will=("status/b", b"died", 1, True)).vanish()
    Client("will-c", will=("status/c", b"died", 1, False)).end()
    equal(sorted(m[:2] for m in watcher.take(2)), [("status/a", b"died"), ("status/b", b"died")])
    late = Client("will-late")
    late.subscribe("status/+", 1)
    equal(late.take(1), [("status/b", b"died", 1, True)])
    late.publish_all([("status/b", b"", 1, True)])
    late.end()
    watcher.end()


def sessions():
    publisher = Client("session-publisher")
    for client_id in ["session-plain", "session/with/slash"]:
        first = Client(client_id, clean=False)
        equal(first.session_present, False)
        first.subscribe("orders/#", 2)
        first.end()
        wanted = [(f"orders/{n % 7}", str(n).encode(), 1 + n % 2) for n in range(300)]
        publisher.publish_all(wanted)
        back = Client(client_id, clean=False)
        equal(back.session_present, True)
        got = [m[:3] for m in back.take(300)]
        for qos in (1, 2):  # the order holds within a QoS: a message of QoS 2 counts from its PUBREL
            equal([m for m in got if m[2] == qos], [m for m in wanted if m[2] == qos])
        back.end()
        anew = Client(client_id, clean=True)
        equal(anew.session_present, False)
        publisher.publish_all([("orders/1", b"x", 1)])
        equal(anew.take(0), [])
        anew.end()
    publisher.end()


def exactly_once():
    """QoS 2 while the receiver's connection is cut again and again. (paho itself stops sending when a sender is cut.)"""
    listener = Client("once-listener", clean=False)
    listener.subscribe("once", 2)
    publisher = Client("once-publisher", clean=False)
    for n in range(300):
        publisher.publish("once", str(n).encode(), 2)
        if n in (60, 120, 180, 240):
            listener.cut()
        time.sleep(0.002)
    equal(sorted(int(m[1]) for m in listener.take(300)), list(range(300)))
    listener.end()
    publisher.end()


def keepalive_0():
    quiet = Client("quiet", keepalive=0)
    quiet.subscribe("quiet", 1)
    equal(quiet.mqtt._keepalive, 0)
    time.sleep(1.0)
    other = Client("other")
    other.publish_all([("quiet", b"still there?", 1)])
    equal(quiet.take(1), [("quiet", b"still there?", 1, False)])
    quiet.end()
    other.end()


def identifiers():
    ids = ["", "+", "$", "#", "$SYS", "a b", " ", "Zähler ☃ 計", "x" * 23, "x" * 65, "x" * 200, "x" * 60000, "a/b", "/", "a\\b",
           "..", "cert:1", "'; DROP", "tab\there"]
    for n, client_id in enumerate(ids):
        client = Client(client_id)
        client.subscribe(f"id/{n}", 1)
        client.publish_all([(f"id/{n}", client_id.encode(), 1)])
        equal(client.take(1), [(f"id/{n}", client_id.encode(), 1, False)])
        client.end()
    # The same odd identifier is the same client: the second connection ends the first.
    gone = queue.Queue()
    first = Client("twice/the/same")
    first.mqtt.on_disconnect = lambda *_: (gone.put(True), first.mqtt.disconnect())
    second = Client("twice/the/same")
    gone.get(timeout=SPAN)
    first.end()
    second.end()


def large():
    client = Client("large")
    client.subscribe("large", 1)
    payload = bytes(range(256)) * (4 * 1024 * 15)
    client.publish_all([("large", payload, 1)])
    equal(client.take(1) == [("large", payload, 1, False)], True)
    gone = queue.Queue()
    too_large = Client("too-large")
    too_large.mqtt.on_disconnect = lambda *_: (gone.put(True), too_large.mqtt.disconnect())
    too_large.publish("large", bytes(17 * 1024 * 1024), 1)
    gone.get(timeout=SPAN)
    client.publish_all([("large", b"small", 1)])
    equal(client.take(1), [("large", b"small", 1, False)])
    client.end()


CASES = [wildcards, retained, wills, sessions, exactly_once, keepalive_0, identifiers, large]
started = time.monotonic()
{case.__name__: case for case in CASES}[sys.argv[2]]()
print(f"{sys.argv[2]} ({sys.argv[3]}): {time.monotonic() - started:.1f} s")
