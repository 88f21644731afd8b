//! The state machine of a command, step by step, and that nothing leaves without all that it needs.

mod desk;
mod evidence;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::scene::{Command, Scene};
use crate::value::{Origin, Quality, Reason, Timestamp, Value};

const SCENE: &str = r#"Scene(
    format: (1, 4), name: "Drive", commands: true,
    types: {"Drive": (
        signals: {
            "speed": (unit: "Hz", topic: "d/{id}", json: "/speed", expires: "10s"),
            "mode": (kind: Text, topic: "d/{id}", json: "/mode"),
            "load": (topic: "d/{id}", json: "/load", expires: "10s"),
            "slip": (derived: "load / speed"),
        },
        commands: {
            "set_speed": (
                topic: "d/{id}/command",
                parameters: {"target": (unit: "Hz", low: 0, high: 50, default: 30), "soft": (kind: Bool, default: true)},
                constraints: ["mode == \"AUTO\"", "target < speed + 20"],
                json: {"/speed": (parameter: "target", unit: "rpm"), "/soft": (parameter: "soft"), "/id": "{token}"},
                arming: "30s",
                verify: (that: "abs(speed - target) < 0.5", within: "5s"),
            ),
            "stop": (
                topic: "d/{id}/stop", raw: "STOP", significance: Critical,
            ),
            "ask": (topic: "d/{id}/ask", raw: "ASK", verify: (answer: "d/{id}/answer", equals: 1, within: "5s")),
            "ease": (
                topic: "d/{id}/ease", raw: "EASE", constraints: ["slip < 3"],
                verify: (that: "slip < 1 && mode == \"AUTO\"", within: "5s"),
            ),
            "spell": (
                topic: "d/{id}/spell", raw: "GO {token} now",
                verify: (answer: "d/{id}/spelt", token: "", equals: "done", within: "5s"),
            ),
            "beep": (topic: "d/{id}/beep", raw: 1, qos: 0),
            "call": (
                topic: "d/{id}/call", json: {"/id": "{token}"},
                verify: (answer: "d/{id}/answer", json: "/result", equals: "ok", token: "/id", within: "5s"),
            ),
        },
    )},
    twins: [(id: "D-1", type: "Drive")],
)"#;

fn scene() -> Scene {
    scene_of(SCENE)
}

fn scene_of(text: &str) -> Scene {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, text).expect("a scene file");
    let loaded = crate::scene::load(&file);
    loaded.scene.unwrap_or_else(|| panic!("{:?}", loaded.issues))
}

fn secs(at: f64) -> Timestamp {
    Timestamp((at * 1e9).round() as i64)
}

fn leave() -> Leave {
    Permission { scene: true, user: true, address: true }.leave().expect("all allow it")
}

/// The two clocks agree.
fn now(at: f64) -> Now {
    Now { time: secs(at), uptime: Duration::from_secs_f64(at) }
}

fn destination() -> Destination {
    Destination { broker: "plant".into(), address: "mqtt://plc:1883".into() }
}

/// A drive at 25 Hz in automatic, and one instruction.
struct Bench {
    scene: Scene,
    readings: RefCell<HashMap<u32, Reading>>,
    one: Instruction,
}

impl Bench {
    fn new(name: &str, given: &[(&str, Value)]) -> Self {
        let scene = scene();
        let command: Command = scene.command("D-1", name).expect("a command").clone();
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let values = arguments(&command, &given).expect("arguments");
        let one = Instruction::prepare(1, "t-1".into(), command, &scene, values, destination(), "ann", secs(100.0));
        let bench = Self { scene, readings: RefCell::default(), one };
        bench.sees("speed", Value::Number(25.0), 99.0);
        bench.sees("mode", Value::Text("AUTO".into()), 99.0);
        bench
    }

    fn sees(&self, signal: &str, value: Value, at: f64) {
        self.sees_so(signal, value, at, Quality::GOOD, Origin::Measured);
    }

    fn sees_so(&self, signal: &str, value: Value, at: f64, quality: Quality, origin: Origin) {
        let point = Point { source_time: secs(at), receive_time: secs(at), value, quality, origin };
        self.readings.borrow_mut().insert(self.index(signal), Some(point).into());
    }

    fn index(&self, signal: &str) -> u32 {
        self.scene.signal("D-1", signal).expect("a signal").index.0
    }

    fn doubts(&self, signal: &str, why: &str) {
        let index = self.index(signal);
        self.readings.borrow_mut().entry(index).or_default().doubt = Some(why.to_owned());
    }

    /// As a device with a clock of its own tells it.
    fn hears(&self, signal: &str, value: Value, measured: f64, received: f64) {
        self.sees(signal, value, received);
        let index = self.index(signal);
        let mut readings = self.readings.borrow_mut();
        readings.entry(index).or_default().point.as_mut().expect("seen").source_time = secs(measured);
    }

    fn arm(&mut self, at: f64) {
        self.one.arm("ann", now(at)).expect("prepared");
    }

    fn send(&mut self, at: f64) -> Result<Outgoing, String> {
        self.send_by(&Link::Up, "as planned", at)
    }

    fn send_by(&mut self, link: &Link, reason: &str, at: f64) -> Result<Outgoing, String> {
        let Self { scene, readings, one } = self;
        let newest = |signal: SignalIndex| readings.borrow().get(&signal.0).cloned().unwrap_or_default();
        one.send(leave(), link, scene, &newest, "ann", reason, now(at))
    }

    fn look(&mut self, at: f64) -> State {
        self.look_by(now(at))
    }

    fn look_by(&mut self, now: Now) -> State {
        let Self { scene, readings, one } = self;
        let newest = |signal: SignalIndex| readings.borrow().get(&signal.0).cloned().unwrap_or_default();
        one.look(scene, &newest, now);
        one.state()
    }

    fn hear(&mut self, topic: &str, payload: &[u8], at: f64) {
        self.one.hear("plant", topic, payload, secs(at));
    }

    fn sent(name: &str) -> Self {
        let mut bench = Self::new(name, &[]);
        bench.arm(101.0);
        bench.send(102.0).expect("it leaves");
        bench.one.delivered(secs(102.1));
        bench
    }
}

#[test]
fn the_payload_is_in_the_unit_of_the_equipment_and_the_range_in_that_of_the_scene() {
    let bench = Bench::new("set_speed", &[("target", Value::Number(40.0)), ("soft", Value::Bool(false))]);
    assert_eq!(shown(&bench.one.payload), r#"{"id":"t-1","soft":false,"speed":2400}"#);
    let command = bench.scene.command("D-1", "set_speed").unwrap();
    let told = |text: &str| {
        let value = read(&command.parameters[0], text)?;
        arguments(command, &[("target".to_owned(), value)]).map_err(|faults| faults.join("; "))
    };
    assert_eq!(told("1800 rpm").unwrap()[0], Value::Number(30.0));
    assert_eq!(told("3e1").unwrap()[0], Value::Number(30.0));
    assert_eq!(told("60").unwrap_err(), "target: 0 to 50 Hz is expected, found 60 Hz");
    assert_eq!(told("3 m").unwrap_err(), "target: `m` does not fit `Hz`");
    for bad in ["fast", "NaN", "inf", ""] {
        assert!(told(bad).is_err(), "{bad}");
    }
    let faults = arguments(command, &[("speed".to_owned(), Value::Number(1.0))]).unwrap_err();
    assert_eq!(faults, ["there is no parameter `speed`: it has target, soft"]);
}

#[test]
fn only_scene_and_user_together_give_leave_and_only_for_an_address_that_the_user_knows() {
    let leave = |scene, user, address| Permission { scene, user, address }.leave().is_ok();
    for (scene, user, address) in [(false, false, true), (true, false, true), (false, true, true), (true, true, false)]
    {
        assert!(!leave(scene, user, address), "{scene} {user} {address}");
    }
    assert!(leave(true, true, true));
}

#[test]
fn what_is_armed_is_sent_and_verified_by_what_comes_after_it() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    let outgoing = bench.send(102.0).unwrap();
    assert_eq!((outgoing.topic(), outgoing.qos()), ("d/D-1/command", 1));
    assert_eq!(bench.one.state(), State::Queued);
    bench.one.delivered(secs(102.1));
    bench.sees("speed", Value::Number(28.0), 103.0);
    assert_eq!(bench.look(103.0), State::Sent);
    bench.sees("speed", Value::Number(30.2), 104.0);
    assert_eq!(bench.look(104.5), State::Verified);
    assert_eq!(bench.one.since(), secs(104.0), "when the evidence came, not when somebody looked");
    let states: Vec<State> = bench.one.steps().iter().map(|step| step.state).collect();
    assert_eq!(states, [State::Prepared, State::Armed, State::Queued, State::Sent, State::Verified]);
    assert_eq!(bench.one.steps()[2].reason, "as planned");
}

#[test]
fn an_arming_ends_and_cannot_be_used_then() {
    let mut bench = Bench::new("set_speed", &[]);
    assert_eq!(bench.send(100.5).unwrap_err(), "D-1.set_speed is not armed: arm it first");
    bench.arm(101.0);
    bench.sees("speed", Value::Number(25.0), 131.0);
    assert!(bench.send(131.1).is_err());
    assert_eq!((bench.one.state(), bench.one.since()), (State::Expired, secs(131.0)));
    assert!(bench.one.arm("ann", now(132.0)).is_err(), "it is prepared again, not armed again");
}

#[test]
fn constraints_are_judged_when_it_is_sent_and_what_is_not_known_does_not_hold() {
    let auto = || Value::Text("AUTO".into());
    type Change = Box<dyn Fn(&Bench)>;
    let cases: [(Change, &str); 9] = [
        (Box::new(|bench| bench.sees("mode", Value::Text("MANUAL".into()), 101.5)), "does not hold: mode is MANUAL"),
        (Box::new(|bench| bench.sees("speed", Value::Number(5.0), 101.5)), "speed is 5 Hz"),
        (Box::new(|bench| bench.sees("speed", Value::Number(25.0), 90.0)), "is not known to hold"),
        (
            Box::new(|bench| {
                let bad = Quality::bad(Reason::OutOfRange);
                bench.sees_so("speed", Value::Number(25.0), 101.0, bad, Origin::Measured);
            }),
            "bad (out of range)",
        ),
        (
            Box::new(move |bench| bench.sees_so("mode", auto(), 101.0, Quality::GOOD, Origin::Simulated)),
            "simulated, not measured",
        ),
        (Box::new(|bench| bench.readings.borrow_mut().clear()), "never seen"),
        (
            Box::new(|bench| {
                let retained = Quality::uncertain(Reason::Retained);
                bench.sees_so("speed", Value::Number(25.0), 101.0, retained, Origin::Measured);
            }),
            "speed is 25 Hz, retained by the broker: no live message has confirmed it yet",
        ),
        (
            Box::new(|bench| bench.doubts("mode", "its broker plant is not connected")),
            "mode is AUTO, its broker plant is not connected",
        ),
        (
            Box::new(|bench| bench.sees("mode", Value::Text("AUTO".into()), 41.0)),
            "mode is AUTO, 61 s old: without `expires` a value counts for 60s",
        ),
    ];
    for (change, wanted) in cases {
        let mut bench = Bench::new("set_speed", &[]);
        bench.arm(101.0);
        change(&bench);
        let why = bench.send(102.0).unwrap_err();
        assert!(why.contains(wanted), "{why}");
        assert_eq!(bench.one.state(), State::Failed);
        assert!(bench.send(102.5).is_err(), "it has failed for good");
    }
}

#[test]
fn what_cannot_leave_at_once_fails_at_once() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    let why = bench.send_by(&Link::Down("the broker plant is not connected".into()), "", 102.0).unwrap_err();
    assert_eq!(why, "D-1.set_speed: not sent: the broker plant is not connected");
    assert_eq!(bench.one.state(), State::Failed);
}

#[test]
fn what_is_critical_needs_a_reason_and_may_be_sent_when_it_has_one() {
    let mut bench = Bench::new("stop", &[]);
    bench.arm(101.0);
    assert!(bench.send_by(&Link::Up, "  ", 102.0).unwrap_err().contains("say why"));
    assert_eq!(bench.one.state(), State::Armed);
    assert!(bench.send_by(&Link::Up, "smoke", 103.0).is_ok());
}

#[test]
fn a_broker_that_does_not_acknowledge_leaves_it_unknown() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    bench.send(102.0).unwrap();
    assert_eq!(bench.look(111.0), State::Queued);
    assert_eq!(bench.look(112.1), State::Failed);
    let mut lost = Bench::new("set_speed", &[]);
    lost.arm(101.0);
    lost.send(102.0).unwrap();
    lost.one.lost("the connection was lost".into(), secs(102.5));
    assert_eq!((lost.one.state(), lost.one.result()), (State::Failed, "the connection was lost"));
}

#[test]
fn without_evidence_in_the_scene_it_ends_as_sent() {
    let bench = Bench::sent("beep");
    assert_eq!(bench.one.state(), State::Sent);
    assert!(bench.one.is_over());
}

#[test]
fn what_has_not_left_is_cancelled_and_what_has_cannot_be_called_back() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    assert!(bench.one.cancel(Some("ann"), "wrong pump", secs(102.0)).is_ok());
    assert_eq!(bench.one.state(), State::Cancelled);
    assert!(bench.send(103.0).is_err());
    let mut sent = Bench::sent("call");
    assert!(sent.one.cancel(Some("ann"), "", secs(103.0)).unwrap_err().contains("cannot be called back"));
}

#[test]
fn no_setting_of_the_wall_clock_stretches_an_arming() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    let set_back = |uptime: f64| Now { time: secs(50.0), uptime: Duration::from_secs_f64(uptime) };
    assert_eq!(bench.look_by(set_back(130.0)), State::Armed);
    assert_eq!(bench.one.arming_left(), Some(Duration::from_secs(1)));
    assert_eq!(bench.look_by(set_back(131.1)), State::Expired);
    let mut ahead = Bench::new("set_speed", &[]);
    ahead.arm(101.0);
    let set_ahead = Now { time: secs(900.0), uptime: Duration::from_secs(102) };
    assert_eq!(ahead.look_by(set_ahead), State::Armed);
}

#[test]
fn a_reload_leaves_alone_what_is_not_to_be_verified_and_ends_what_is_verified_otherwise_now() {
    let mut queued = Bench::new("beep", &[]);
    queued.arm(101.0);
    queued.send(102.0).unwrap();
    queued.one.adopt(&scene(), &|_| destination(), secs(102.1));
    queued.one.delivered(secs(102.2));
    assert_eq!(queued.one.state(), State::Sent);
    let changed = |from: &str, to: &str| {
        let mut bench = Bench::sent("set_speed");
        bench.one.adopt(&scene_of(&SCENE.replace(from, to)), &|_| destination(), secs(103.0));
        bench.one.state()
    };
    assert_eq!(changed("twins:", "twins :"), State::Sent);
    assert_eq!(changed("high: 50", "high: 60"), State::TimedOut, "another range");
    let mut moved = Bench::sent("set_speed");
    moved.one.adopt(&scene(), &|_| Destination::default(), secs(103.0));
    assert_eq!(moved.one.state(), State::TimedOut, "another broker");
    assert_eq!(changed("target) < 0.5", "target) < 50"), State::TimedOut, "other evidence");
}

#[test]
fn each_command_gets_a_last_word_when_the_session_ends() {
    let mut sent = Bench::sent("set_speed");
    sent.one.end(secs(103.0));
    assert_eq!((sent.one.state(), sent.one.result()), (State::TimedOut, UNKNOWN_AT_END));
    let mut armed = Bench::new("set_speed", &[]);
    armed.arm(101.0);
    armed.one.end(secs(103.0));
    assert_eq!(armed.one.state(), State::Cancelled);
    let mut over = Bench::sent("beep");
    over.one.end(secs(103.0));
    assert_eq!(over.one.state(), State::Sent);
}

#[test]
fn a_scene_that_is_read_again_calls_off_what_has_not_left() {
    let mut bench = Bench::new("set_speed", &[]);
    bench.arm(101.0);
    let scene = scene();
    bench.one.adopt(&scene, &|_| destination(), secs(102.0));
    assert_eq!(bench.one.state(), State::Cancelled);
    let mut sent = Bench::sent("set_speed");
    sent.one.adopt(&scene, &|_| destination(), secs(103.0));
    sent.sees("speed", Value::Number(30.0), 104.0);
    assert_eq!(sent.look(104.0), State::Verified, "what has left is verified by the new scene");
}

#[derive(Clone, Debug)]
enum Act {
    Arm,
    Send { is_up: bool },
    Cancel,
    Delivered,
    Lost,
    Answer(bool),
    Mode(bool),
    Speed(f64),
    Wait(f64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => Just(Act::Arm),
        4 => any::<bool>().prop_map(|is_up| Act::Send { is_up }),
        1 => Just(Act::Cancel),
        2 => Just(Act::Delivered),
        1 => Just(Act::Lost),
        1 => any::<bool>().prop_map(Act::Answer),
        2 => any::<bool>().prop_map(Act::Mode),
        2 => (0.0..50.0).prop_map(Act::Speed),
        2 => (0.0..20.0).prop_map(Act::Wait),
    ]
}

proptest! {
    #[test]
    fn nothing_leaves_unless_it_is_armed_in_time_and_its_constraints_hold(acts in prop::collection::vec(act(), 1..40)) {
        let mut bench = Bench::new("set_speed", &[]);
        let (mut now, mut left) = (100.0, 0);
        let (mut mode, mut speed) = (true, 25.0);
        let mut spoke = [99.0, 99.0];
        for act in acts {
            now += 0.1;
            match act {
                Act::Arm => drop(bench.one.arm("ann", self::now(now))),
                Act::Send { is_up } => {
                    let before = bench.one.clone();
                    let link = if is_up { Link::Up } else { Link::Down("down".into()) };
                    if bench.send_by(&link, "", now).is_ok() {
                        left += 1;
                        prop_assert!(is_up && before.state() == State::Armed);
                        prop_assert!(secs(now) <= before.since() + Duration::from_secs(30));
                        prop_assert!(mode && 30.0 < speed + 20.0 && now <= spoke[0] + 10.0 && now <= spoke[1] + 60.0);
                    }
                }
                Act::Cancel => drop(bench.one.cancel(None, "", secs(now))),
                Act::Delivered => bench.one.delivered(secs(now)),
                Act::Lost => bench.one.lost("lost".into(), secs(now)),
                Act::Answer(fine) => bench.hear("d/D-1/answer", if fine { b"ok" } else { b"no" }, now),
                Act::Mode(auto) => {
                    (mode, spoke[1]) = (auto, now);
                    bench.sees("mode", Value::Text(if auto { "AUTO" } else { "MANUAL" }.into()), now);
                }
                Act::Speed(at) => {
                    (speed, spoke[0]) = (at, now);
                    bench.sees("speed", Value::Number(at), now);
                }
                Act::Wait(by) => {
                    now += by;
                    bench.look(now);
                }
            }
            let states: Vec<State> = bench.one.steps().iter().map(|step| step.state).collect();
            let has = |state| states.contains(&state);
            prop_assert_eq!(has(State::Queued), left == 1);
            prop_assert!(left <= 1, "one instruction is one message");
            prop_assert!(!has(State::Sent) || has(State::Queued));
            prop_assert!(!has(State::Verified) || has(State::Sent));
            prop_assert!(bench.one.steps().is_sorted_by_key(|step| step.at), "{:?}", bench.one.steps());
        }
    }
}
