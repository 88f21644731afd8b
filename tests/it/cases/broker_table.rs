//! What must come of the messages of a broker: see [`brokers`](super::brokers).

use super::brokers::Act::{Await, Clear, Publish, Restart, Says, Second};
use super::brokers::Payload::{Bytes, Numbered, Repeat, Text};
use super::brokers::{Live, Payload, Peer};

const UNDECODED: &str = "Bad: cannot be decoded";
const NOT_FINITE: &str = "Bad: not a finite number";
const ROUNDED: &str = "Uncertain: more digits than a number holds";
const NEVER: &str = "Bad: never seen";
const RETAINED: &str = "Uncertain: retained by the broker";
const ABOVE: &str = "above the limit of 1048576 bytes and was not read: raise `max_packet`";
/// Two million bytes of text: the limit of a packet is about half of it.
const BIG: Payload = Repeat(b'x', 2_000_000);
const BIRTH: &str = "\"birth\"";

pub const TABLE: &[Live] = &[
    // Those that wait longest stand first.
    Live {
        name: "mq15_retained_age",
        kept: &[("P/r", Text("9"))],
        acts: &[Await("\"death\"")],
        seen: &[("r", "9.0", "Stale: expired")],
        records: &[("r", &["9 Uncertain (retained by the broker)"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq23_retained_stale",
        kept: &[("P/r", Text("9"))],
        acts: &[Await("\"alarm\":\"r.silent\",\"cause\":\"raised\"")],
        seen: &[("r", "9.0", "Stale: expired")],
        records: &[("r", &["9 Uncertain (retained by the broker)"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq06_client_id_twice",
        acts: &[Second, Says("another client probably takes over the client id `pollux-1`")],
        says: &["give each program a client id of its own, or leave `client_id` out of the scene"],
        events: &["\"connected\"", "\"lost\""],
        // Two programs, and each a few times more until it is clear what is wrong.
        connections: 8,
        ..Live::DEFAULT
    },
    Live {
        name: "mq07_broker_restart",
        acts: &[Publish("P/r", Text("1")), Restart, Publish("P/r", Text("2"))],
        seen: &[("r", "2.0", "Good")],
        counts: &[("received", 2)],
        events: &["\"connected\"", "\"lost\"", "\"connected\""],
        records: &[("r", &["1 Good", "2 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq16_flood",
        kept: &[("x/", Numbered(20_000))],
        acts: &[Publish("P/z", Text("1"))],
        seen: &[("r", "19999.0", RETAINED), ("t", "1.0", RETAINED), ("z", "1.0", "Good")],
        counts: &[("received", 20_002), ("decoded", 20_003), ("dropped", 0), ("unknown_topics", 0)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq01_nan_json",
        acts: &[Publish("P/j", Text(r#"{"a":1,"b":40}"#)), Publish("P/j", Text(r#"{"a":NaN,"b":41}"#))],
        seen: &[("a", "null", NOT_FINITE), ("b", "41.0", "Good")],
        records: &[("b", &["40 Good", "41 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq02_trailing_nul",
        acts: &[Publish("P/r", Bytes(b"21.5\0")), Publish("P/j", Bytes(b"{\"a\":1,\"b\":2}\0"))],
        seen: &[("r", "21.5", "Good"), ("a", "1.0", "Good"), ("b", "2.0", "Good")],
        counts: &[("decode_errors", 0)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq03_text_numbers",
        acts: &[
            Publish("n/0", Text("23\n")),
            Publish("n/1", Text(" 21,5 ")),
            Publish("n/2", Text("21.5 C")),
            Publish("n/3", Text("???")),
            Publish("n/4", Text("0x1F")),
            Publish("n/5", Text("1e3")),
            Publish("n/6", Text("+5")),
            Publish("n/7", Text(".5")),
            Publish("n/8", Text("5.")),
            Publish("n/9", Text("1_000")),
        ],
        seen: &[
            ("n0", "23.0", "Good"),
            ("n1", "null", UNDECODED),
            ("n2", "null", UNDECODED),
            ("n3", "null", UNDECODED),
            ("n4", "null", UNDECODED),
            ("n5", "1000.0", "Good"),
            ("n6", "5.0", "Good"),
            ("n7", "0.5", "Good"),
            ("n8", "5.0", "Good"),
            ("n9", "null", UNDECODED),
        ],
        counts: &[("decode_errors", 5)],
        says: &["text \"???\", expected a number", "text \"21.5 C\", expected a number", "text \" 21,5 \""],
        ..Live::DEFAULT
    },
    Live {
        name: "mq04_zero_payload",
        kept: &[("P/r", Text("5")), ("P/t", Text("auto"))],
        acts: &[Clear("P/r"), Clear("P/t"), Publish("P/j", Text(""))],
        seen: &[("r", "5.0", RETAINED), ("t", "\"auto\"", RETAINED), ("a", "null", NEVER)],
        counts: &[("received", 5), ("decoded", 2), ("decode_errors", 0)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq05_big_packet",
        acts: &[Publish("P/r", Text("1")), Publish("P/t", BIG), Publish("P/r", Text("2"))],
        seen: &[("r", "2.0", "Good"), ("t", "null", NEVER)],
        counts: &[("received", 3), ("dropped", 1), ("reconnects", 0)],
        says: &["`P/t`: a packet of 2000", ABOVE],
        ..Live::DEFAULT
    },
    Live {
        name: "mq05b_big_retained",
        kept: &[("P/t", BIG)],
        acts: &[Publish("P/r", Text("1")), Publish("P/r", Text("2")), Publish("P/r", Text("3"))],
        seen: &[("r", "3.0", "Good"), ("t", "null", NEVER)],
        counts: &[("received", 4), ("dropped", 1), ("reconnects", 0)],
        says: &["`P/t`: a packet of 2000", ABOVE],
        records: &[("r", &["1 Good", "2 Good", "3 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq25_big_retained_v5",
        kept: &[("P/t", BIG)],
        acts: &[Publish("P/r", Text("1")), Publish("P/r", Text("2")), Publish("P/r", Text("3"))],
        seen: &[("r", "3.0", "Good"), ("t", "null", NEVER)],
        counts: &[("received", 4), ("dropped", 1), ("reconnects", 0)],
        says: &["`P/t`: a packet of 2000", ABOVE],
        records: &[("r", &["1 Good", "2 Good", "3 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq08_odd_topics",
        acts: &[
            Publish("/hall/a", Text("1")),
            Publish("hall/a", Text("99")),
            Publish("hall//b", Text("2")),
            Publish("hall/mit leer/ä😀", Text("3")),
            Publish("hall/e/", Text("4")),
            Publish("hall/e", Text("98")),
            Publish("wild//x", Text("5")),
            Publish("tree", Text("6")),
        ],
        seen: &[
            ("a", "1.0", "Good"),
            ("b", "2.0", "Good"),
            ("c", "*", RETAINED),
            ("d", "3.0", "Good"),
            ("e", "4.0", "Good"),
            ("w", "5.0", "Good"),
            ("h", "6.0", "Good"),
        ],
        counts: &[("received", 7), ("unknown_topics", 0), ("decode_errors", 0)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq09_times",
        acts: &[
            Publish("P/s", Text(r#"{"v":1,"t":"<now-5>"}"#)),
            Publish("P/m", Text(r#"{"v":2,"t":<now-5>}"#)),
            Publish("P/z", Text(r#"{"v":3,"t":"2026-01-31T12:00:00"}"#)),
        ],
        seen: &[("s", "1.0", "Good"), ("m", "2.0", "Good"), ("z", "3.0", "Good")],
        times: &[("s", "now-5"), ("m", "received"), ("z", "received")],
        counts: &[("clock_problems", 2)],
        says: &[
            "before 1990: check the source's clock and the time format",
            "`/t` is text \"2026-01-31T12:00:00\", expected a time such as 2026-01-31T12:00:00Z",
        ],
        ..Live::DEFAULT
    },
    Live {
        name: "mq09b_times2",
        acts: &[
            Publish("z/a", Text(r#"{"v":1,"t":"2026-01-31T12:00:00+01:00"}"#)),
            Publish("z/b", Text(r#"{"v":1,"t":"2026-01-31T12:00:00+0100"}"#)),
            Publish("z/c", Text(r#"{"v":1,"t":"2026-01-31 12:00:00Z"}"#)),
            Publish("z/d", Text(r#"{"v":1,"t":"2026-01-31t12:00:00z"}"#)),
            Publish("z/e", Text(r#"{"v":1,"t":"2026-01-31T12:00:00,5Z"}"#)),
            Publish("z/f", Text(r#"{"v":1,"t":"2026-01-31T12:00:00-05:00Z"}"#)),
            Publish("z/g", Text(r#"{"v":1,"t":1769860800.123456789}"#)),
        ],
        times: &[
            ("a", "2026-01-31T11:00:00Z"),
            ("b", "2026-01-31T11:00:00Z"),
            ("c", "2026-01-31T12:00:00Z"),
            ("d", "2026-01-31T12:00:00Z"),
            ("e", "2026-01-31T12:00:00.5Z"),
            ("f", "received"),
            ("g", "2026-01-31T12:00:00.123456789Z"),
        ],
        counts: &[("clock_problems", 1)],
        says: &["`/t` is text \"2026-01-31T12:00:00-05:00Z\", expected a time such as"],
        ..Live::DEFAULT
    },
    Live {
        name: "mq10_late",
        acts: &[Publish("P/s", Text(r#"{"v":10,"t":<now-5>}"#)), Publish("P/s", Text(r#"{"v":7,"t":<now-60>}"#))],
        seen: &[("s", "10.0", "Good")],
        times: &[("s", "now-5")],
        records: &[("s", &["7 Good", "10 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq11_future",
        acts: &[
            Publish("P/s", Text(r#"{"v":1,"t":<now+86400>}"#)),
            Await(BIRTH),
            Publish("P/s", Text(r#"{"v":2,"t":<clock>}"#)),
        ],
        seen: &[("s", "2.0", "Good")],
        counts: &[("clock_problems", 1)],
        says: &["s after its receipt: check the source's clock and the time format"],
        records: &[("s", &["1 Good", "2 Good"])],
        ..Live::DEFAULT
    },
    Live {
        name: "mq27_future_then_right",
        acts: &[
            Publish("P/s", Text(r#"{"v":1,"t":<now+86400>}"#)),
            Await(BIRTH),
            Publish("P/s", Text(r#"{"v":2,"t":<clock>}"#)),
        ],
        seen: &[("s", "2.0", "Good")],
        counts: &[("clock_problems", 1)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq12_big_int",
        acts: &[
            Publish("P/j", Text(r#"{"a":9007199254740993,"b":18446744073709551615}"#)),
            Publish("P/k", Text(r#"{"a":1e400,"b":2}"#)),
            Publish("P/l", Text("9007199254740993")),
        ],
        seen: &[
            ("a", "9007199254740992.0", ROUNDED),
            ("b", "18446744073709551616.0", ROUNDED),
            ("c", "null", NOT_FINITE),
            ("d", "2.0", "Good"),
            ("e", "9007199254740992.0", ROUNDED),
        ],
        ..Live::DEFAULT
    },
    Live {
        name: "mq13_odd_keys",
        acts: &[Publish(
            "P/j",
            Text(r#"{"PM2.5":1,"a/b":2,"m~n":3,"mit leer":4,"ä":5,"0":6,"":7,"arr":[0,8],"switch:0":{"apower":9}}"#),
        )],
        seen: &[
            ("a", "1.0", "Good"),
            ("b", "2.0", "Good"),
            ("c", "3.0", "Good"),
            ("d", "4.0", "Good"),
            ("e", "5.0", "Good"),
            ("f", "6.0", "Good"),
            ("g", "7.0", "Good"),
            ("h", "8.0", "Good"),
            ("i", "9.0", "Good"),
        ],
        ..Live::DEFAULT
    },
    Live {
        name: "mq14_same_time",
        acts: &[
            Publish("P/s", Text(r#"{"v":5,"t":<now-1>}"#)),
            Publish("P/s", Text(r#"{"v":3,"t":<now-1>}"#)),
            Publish("P/s", Text(r#"{"v":4,"t":<now-1>}"#)),
            Publish("P/s", Text(r#"{"v":1,"t":<now-1>}"#)),
            Publish("P/s", Text(r#"{"v":2,"t":<now-1>}"#)),
        ],
        seen: &[("s", "2.0", "Good")],
        times: &[("s", "now-1")],
        records: &[("s", &["5 Good", "3 Good", "4 Good", "1 Good", "2 Good"])],
        ..Live::DEFAULT
    },
    Live {
        // This broker grants a subscription that its rules forbid, and sends nothing: there is nothing to be told.
        name: "mq17_acl",
        peer: Peer::Mosquitto("acl_file <folder>/acl"),
        acts: &[Publish("P/t", Text("x")), Publish("P/r", Text("1"))],
        seen: &[("r", "1.0", "Good"), ("t", "null", NEVER)],
        counts: &[("received", 1), ("reconnects", 0)],
        ..Live::DEFAULT
    },
    Live {
        name: "mq18_qos2",
        acts: &[
            Publish("P/r", Text("1")),
            Publish("P/r", Text("2")),
            Publish("P/r", Text("3")),
            Publish("P/r", Text("4")),
            Publish("P/r", Text("5")),
            Publish("P/r", Text("6")),
            Publish("P/r", Text("7")),
            Publish("P/r", Text("8")),
            Publish("P/r", Text("9")),
            Publish("P/r", Text("10")),
        ],
        seen: &[("r", "10.0", "Good")],
        counts: &[("received", 10)],
        records: &[(
            "r",
            &["1 Good", "2 Good", "3 Good", "4 Good", "5 Good", "6 Good", "7 Good", "8 Good", "9 Good", "10 Good"],
        )],
        ..Live::DEFAULT
    },
    Live {
        name: "mq19_no_broker",
        peer: Peer::Nobody,
        acts: &[Says("nothing listens there (connection refused): start the broker or check host and port")],
        seen: &[("r", "null", NEVER)],
        events: &["\"failed\""],
        ..Live::DEFAULT
    },
    Live {
        name: "mq20_not_utf8",
        acts: &[
            Publish("P/r", Bytes(b"\xff\xfe21")),
            Publish("P/j", Bytes(b"\xef\xbb\xbf{\"a\":1,\"b\":2}")),
            Publish("P/j", Bytes(b"{\"a\":3,\"b\":4,\"c\":\"gr\xfcn\"}")),
            Publish("P/j", Text("[1,2]")),
            Publish("P/j", Text("5")),
            Publish("P/j", Repeat(b'[', 100_000)),
        ],
        seen: &[("r", "null", UNDECODED), ("a", "null", UNDECODED), ("b", "null", UNDECODED)],
        counts: &[("received", 6), ("decode_errors", 4)],
        says: &["the payload is not UTF-8 text", "the payload is not JSON: EOF while parsing a list"],
        ..Live::DEFAULT
    },
    Live {
        name: "mq21_json_strings_bool",
        acts: &[Publish("P/j", Text(r#"{"n":"100.00","m":true,"o":1,"p":"ON","q":null,"x":5,"y":{}}"#))],
        seen: &[
            ("n", "100.0", "Good"),
            ("m", "null", UNDECODED),
            ("o", "true", "Good"),
            ("p", "true", "Good"),
            ("q", "null", "Bad: reported by the source"),
            ("x", "null", UNDECODED),
            ("y", "null", UNDECODED),
        ],
        says: &["`/m` is the boolean true, expected a number", "`/x` is the number 5, expected text"],
        ..Live::DEFAULT
    },
    Live {
        name: "mq24_suback_refused",
        peer: Peer::Refusing,
        acts: &[Await(BIRTH)],
        seen: &[("r", "7.0", "Good"), ("t", "null", NEVER)],
        counts: &[("received", 1), ("reconnects", 0)],
        says: &[
            "the subscription to `P/t` was refused: refused by the broker, code 0x80",
            "not subscribed to `P/t` (refused by the broker, code 0x80): check the broker's access rules and the filters",
        ],
        never: &["`P/r` was refused", "`P/j` was refused"],
        ..Live::DEFAULT
    },
    Live {
        name: "mq28_text_number",
        acts: &[Publish("P/j", Text(r#"{"x":5,"y":"abc","z":"maybe"}"#))],
        seen: &[("x", "null", UNDECODED), ("y", "null", UNDECODED), ("z", "null", UNDECODED)],
        counts: &[("decode_errors", 1)],
        says: &[
            "`/x` is the number 5, expected text; `/y` is text \"abc\", expected a number; `/z` is text \"maybe\", expected a \
             boolean",
        ],
        ..Live::DEFAULT
    },
];
