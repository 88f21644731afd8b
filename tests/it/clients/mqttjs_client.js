// Drives a broker with mqtt.js. Usage: node mqttjs_client.js MODULE PORT VERSION (3.1.1 or 5).
// Prints what it saw and exits with 0, or fails with the difference.
"use strict";
const assert = require("node:assert");
const [module_path, port, version] = process.argv.slice(2);
const mqtt = require(module_path);

const started = Date.now();
setTimeout(() => { console.error("took longer than 40 s"); process.exit(1); }, 40_000).unref();

async function connect(clientId, options = {}) {
    const inbox = [];
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
        clientId, protocolVersion: version === "5" ? 5 : 4, clean: true, reconnectPeriod: 0, connectTimeout: 10_000, ...options,
    });
    client.on("message", (topic, payload, packet) => inbox.push([topic, payload.toString(), packet.qos, packet.retain]));
    client.inbox = inbox;
    await new Promise((resolve, reject) => {
        client.once("connect", (connack) => { client.sessionPresent = connack.sessionPresent; resolve(); });
        client.once("error", reject);
        client.once("close", () => reject(new Error(`${clientId}: closed`)));
    });
    return client;
}

// The next messages, and no more than those.
async function take(client, count) {
    const until = Date.now() + 15_000;
    while (client.inbox.length < count && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.strictEqual(client.inbox.length, count, `${client.options.clientId}: number of messages`);
    return client.inbox.splice(0);
}

async function main() {
    const publisher = await connect("js-publisher");

    // A thousand retained messages, all sent at once.
    for (const qos of [0, 1, 2]) {
        const wanted = Array.from({ length: 1000 }, (_, n) => [`js/kept/${qos}/${String(n).padStart(4, "0")}`, `v${n}`, qos, true]);
        await Promise.all(wanted.map(([topic, payload]) => publisher.publishAsync(topic, payload, { qos, retain: true })));
        // Nobody acknowledges QoS 0, but the broker takes what one client sends in order.
        await publisher.publishAsync("js/done", "", { qos: 1 });
        const late = await connect(`js-late-${qos}`);
        await late.subscribeAsync(`js/kept/${qos}/+`, { qos });
        assert.deepStrictEqual((await take(late, 1000)).sort(), wanted);
        await late.endAsync();
        await Promise.all(wanted.map(([topic]) => publisher.publishAsync(topic, "", { qos: 1, retain: true })));
    }

    // A will, after the connection is cut.
    const watcher = await connect("js-watcher", { keepalive: 0 });
    await watcher.subscribeAsync("js/status", { qos: 1 });
    const dying = await connect("js-dying", { will: { topic: "js/status", payload: "died", qos: 1, retain: false } });
    dying.stream.destroy();
    assert.deepStrictEqual(await take(watcher, 1), [["js/status", "died", 1, false]]);

    // A session that is kept, under a name with slashes.
    const kept = { clean: false, properties: version === "5" ? { sessionExpiryInterval: 3600 } : undefined };
    const first = await connect(`js/kept/session/${version}`, kept);
    assert.strictEqual(first.sessionPresent, false);
    await first.subscribeAsync("js/orders/#", { qos: 2 });
    await first.endAsync();
    const orders = Array.from({ length: 200 }, (_, n) => ["js/orders/1", String(n), 2, false]);
    await Promise.all(orders.map(([topic, payload]) => publisher.publishAsync(topic, payload, { qos: 2 })));
    const back = await connect(`js/kept/session/${version}`, kept);
    assert.strictEqual(back.sessionPresent, true);
    assert.deepStrictEqual(await take(back, 200), orders);

    for (const client of [back, watcher, publisher]) await client.endAsync();
    console.log(`mqtt.js (${version}): ${Date.now() - started} ms`);
    process.exit(0);
}

main().catch((error) => { console.error(error); process.exit(1); });
