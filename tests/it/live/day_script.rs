//! A day of twenty twins: their scene, and what they say in the morning, at noon and in the evening. In: a broker's
//! address. Out: the text of a scene, messages. Every violation in it is on purpose; `alarm_day` says what must come of it.

use serde_json::{Value, json};

use crate::support::Mosquitto;

const DATE: &str = "2025-03-01T";

/// Eight pumps, four valves, four tanks, four machines. Delays are minutes of the day: within the seconds that the test
/// takes they can only end by the source times of later samples. The one delay of 2 s ends by the clock.
pub fn scene(url: &str) -> String {
    let twins: String = twins().map(|(id, kind, _)| format!("        (id: \"{id}\", type: \"{kind}\"),\n")).collect();
    SCENE.replace("URL", url).replace("TIME", r#"topic: "day/{id}", time: (json: "/ts")"#).replace("TWINS", &twins)
}

const SCENE: &str = r#"Scene(
    format: (1, 1),
    name: "A day",
    brokers: {"plant": (url: "URL", client_id: "pollux", qos: 1, alarm: (on_delay: "3s"))},
    types: {
        "Pump": (signals: {
            "flow": (unit: "m3/h", json: "/flow", TIME, limits: (low: 5), alarms: {
                "low": (deadband: 1.0, on_delay: "1min", unless: "!running"),
            }),
            "running": (kind: Bool, json: "/running", TIME),
            "vibration": (unit: "mm/s", json: "/vibration", TIME, limits: (high: 4.5, high_high: 7.1), alarms: {
                "high": (deadband: 0.5, on_delay: "2min", off_delay: "5min"),
                "high_high": (latching: true),
            }),
        }),
        "Valve": (signals: {
            "position": (unit: "%", json: "/position", TIME, alarms: {
                "off_command": (deviation: (from: "command", above: 12.0), deadband: 2.0, on_delay: "1min", priority: Low),
            }),
            "command": (unit: "%", json: "/command", TIME),
        }),
        "Tank": (signals: {
            "level": (unit: "%", json: "/level", TIME, range: (0, 100), alarms: {
                "falling": (rate: (above: 30.0, per: "1h", over: "10min", direction: Falling)),
                "broken": (bad: true, priority: Low),
            }),
            "pressure": (unit: "bar", json: "/pressure", TIME, alarms: {
                "unsteady": (above: 6.0, count: (needed: 3, of: 5, within: "30min")),
            }),
        }),
        "Machine": (
            signals: {
                "mode": (kind: Text, json: "/mode", TIME, alarms: {"fault": (is: ["Fault", "EStop"], priority: High)}),
                "speed": (unit: "1/min", json: "/speed", TIME, limits: (high: 200), alarms: {"high": (on_delay: "2s")}),
                "temperature": (unit: "°C", json: "/temperature", TIME),
            },
            alarms: {"overload": (when: "speed > 100 && temperature > 80", priority: Critical)},
        ),
    },
    twins: [
TWINS    ],
)
"#;

/// Id, type and first words of each twin.
pub fn twins() -> impl Iterator<Item = (String, &'static str, Value)> {
    let kinds = [
        ("P", "Pump", 8, json!({"flow": 12, "running": true, "vibration": 2})),
        ("V", "Valve", 4, json!({"position": 50, "command": 50})),
        ("T", "Tank", 4, json!({"level": 80, "pressure": 4})),
        ("M", "Machine", 4, json!({"mode": "Auto", "speed": 90, "temperature": 60})),
    ];
    kinds.into_iter().flat_map(|(letter, kind, count, says)| {
        (1..=count).map(move |n| (format!("{letter}-{n:02}"), kind, says.clone()))
    })
}

/// Publishes lines of time, twin and values, each of them acknowledged by the broker before the next.
pub fn publish(server: &Mosquitto, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        let (time, rest) = line.split_once(' ').unwrap();
        let (twin, values) = rest.split_once(' ').unwrap();
        say(server, time, twin, serde_json::from_str(values).unwrap());
    }
}

pub fn say(server: &Mosquitto, time: &str, twin: &str, mut values: Value) {
    values["ts"] = json!(format!("{DATE}{time}Z"));
    server.publish(&["-q", "1"], &format!("day/{twin}"), values.to_string());
}

/// The time of the day, or the whole text if it is of another day.
pub fn clock(time: &str) -> &str {
    time.strip_prefix(DATE).map_or(time, |time| time.trim_end_matches('Z'))
}

pub const MORNING: &str = r#"
    // Above the limit, but for less than two minutes; within the deadband it would not be back yet.
    06:30:00 P-01 {"vibration": 4.8}
    06:31:00 P-01 {"vibration": 4.4}
    // For two minutes: raised at 06:42 with the value that held then.
    06:40:00 P-01 {"vibration": 4.8}
    06:41:00 P-01 {"vibration": 5.2}
    06:43:00 P-01 {"vibration": 5.0}
    // In the deadband; below it, but not for five minutes; for five minutes.
    06:50:00 P-01 {"vibration": 4.2}
    07:00:00 P-01 {"vibration": 3.9}
    07:03:00 P-01 {"vibration": 4.1}
    07:10:00 P-01 {"vibration": 3.5}
    07:20:00 P-01 {"vibration": 3.4}
    // The latch stays.
    07:30:00 P-02 {"vibration": 7.5}
    07:31:00 P-02 {"vibration": 4.0}
    // A stopped pump: low flow is on record, but suppressed.
    08:00:00 P-03 {"running": false, "flow": 0}
    08:10:00 P-03 {"running": false, "flow": 0}
    08:20:00 P-03 {"running": true, "flow": 12}
    // A running one.
    08:30:00 P-04 {"flow": 3}
    08:40:00 P-04 {"flow": 3.5}
    08:50:00 P-04 {"flow": 5.5}
    08:55:00 P-04 {"flow": 6}
    // Three of five.
    09:00:00 T-01 {"pressure": 6.5}
    09:05:00 T-01 {"pressure": 5}
    09:10:00 T-01 {"pressure": 6.6}
    09:15:00 T-01 {"pressure": 6.2}
    09:20:00 T-01 {"pressure": 5}
    09:25:00 T-01 {"pressure": 5}
    // 2 % in ten minutes are 12 % per h, 8 % are 48 % per h.
    10:00:00 T-02 {"level": 78}
    10:05:00 T-02 {"level": 78}
    10:10:00 T-02 {"level": 76}
    10:15:00 T-02 {"level": 70}
    10:25:00 T-02 {"level": 70}
    // Not a number; out of range; good again.
    10:30:00 T-03 {"level": "??"}
    10:40:00 T-03 {"level": 150}
    10:50:00 T-03 {"level": 79}
    // What comes late is in history and judged by nobody: it would have raised both alarms.
    11:00:00 P-05 {"vibration": 3}
    10:30:00 P-05 {"vibration": 9}
    10:35:00 P-05 {"vibration": 9}
    // Away from the command for half a minute, then for a minute; in the deadband; back.
    11:30:00 V-01 {"command": 80}
    11:30:30 V-01 {"position": 70}
    11:40:00 V-01 {"command": 20, "position": 70}
    11:40:30 V-01 {"position": 60}
    11:42:00 V-01 {"position": 40}
    11:45:00 V-01 {"position": 31}
    11:46:00 V-01 {"position": 25}
    // These stand at noon. The last value is worse than what raised the alarm.
    12:00:00 M-01 {"mode": "Fault"}
    12:10:00 P-06 {"vibration": 5.5}
    12:13:00 P-06 {"vibration": 6}
    12:20:00 P-06 {"vibration": 6.9}
"#;

pub const NOON: &str = r#"
    // Nothing follows: the delay of 2 s ends by the clock.
    12:30:00 M-04 {"speed": 250}
"#;

/// What depends on several samples gets all of them again: rates, counts, and values to compare with do not outlive a
/// kill.
pub const AFTERNOON: &str = r#"
    13:00:00 P-06 {"vibration": 6.8}
    13:10:00 P-06 {"vibration": 3}
    13:20:00 P-06 {"vibration": 3}
    13:30:00 M-01 {"mode": "Auto"}
    13:40:00 M-02 {"speed": 120, "temperature": 60}
    13:45:00 M-02 {"temperature": 85}
    14:00:00 M-02 {"speed": 50}
    14:10:00 V-02 {"command": 90, "position": 50}
    14:12:00 V-02 {"command": 90, "position": 50}
    14:20:00 P-01 {"vibration": 4.8}
    14:25:00 P-01 {"vibration": 4.9}
    14:30:00 P-02 {"vibration": 3}
    15:00:00 T-02 {"level": 70}
    15:05:00 T-02 {"level": 70}
    15:10:00 T-02 {"level": 70}
    15:15:00 T-02 {"level": 60}
    15:30:00 T-01 {"pressure": 7}
    15:32:00 T-01 {"pressure": 7}
    15:34:00 T-01 {"pressure": 7}
    15:40:00 T-04 {"level": "??"}
    16:00:00 P-03 {"running": false, "flow": 0}
    16:10:00 P-03 {"flow": 0}
"#;

pub const EVENING: &str = r#"
    17:00:00 P-07 {"vibration": 8}
    17:05:00 P-07 {"vibration": 8.5}
    23:59:00 M-03 {"mode": "EStop"}
"#;
