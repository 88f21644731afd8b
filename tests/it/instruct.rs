//! Commands to equipment: what leaves, what does not, and what is said of both.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::analysis::Analysis;
use pollux::command::{InstructionCommand, OperatorCommand, Outbox, Refusals, SceneCommand};
use pollux::event::Kind;
use pollux::instruction::{Desk, Instruction, State};
use pollux::record::RecordOptions;
use pollux::scene::LoadedScene;
use pollux::session::{self, AllowCommands, Options, StorePlace};
use pollux::value::Value;
use pollux::{replay, state};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use tempfile::TempDir;

use crate::live::program::{Program, pollux};
use crate::support::Mosquitto;

const SCENE: &str = r#"Scene(format: (1, 4), name: "Two tanks", ALLOWED types: {
    "Tank": (
        model: Tank(area: "2 m2"),
        signals: {"level": (unit: "m", topic: "two/{id}", json: "/level", measures: "level", expires: "5s")},
    ),
    "Valve": (
        model: ControlValve(stroke: "1 s"),
        inputs: {"command": (value: 0.5, command: "order")},
        signals: {
            "order": (unit: "%", topic: "two/{id}/order", raw: Number),
            "position": (unit: "%", topic: "two/{id}", json: "/position", measures: "position", expires: "5s"),
        },
        commands: {
            "move": (
                about: "Opens or closes it", significance: Warning,
                parameters: {"opening": (unit: "%", low: 5, high: 95)},
                constraints: ["signal(\"T-1.level\") > 0.1"],
                topic: "two/{id}/order", raw: (parameter: "opening"),
                verify: (that: "abs(position - opening) < 1", within: "10s"),
            ),
            "shout": (topic: "nowhere/{id}", raw: "HEY", verify: (that: "position > 1000", within: "1s")),
            "ask": (
                topic: "two/{id}/ask", json: {"/id": "{token}", "/do": "ping"},
                verify: (answer: "two/{id}/answer", json: "/result", equals: "done", token: "/id", within: "10s"),
            ),
        },
    ),
}, twins: [(id: "T-1", type: "Tank"), (id: "T-2", type: "Tank"), (id: "V-1", type: "Valve")], links: [
    (from: "T-1.outlet", to: "V-1.inlet"), (from: "V-1.outlet", to: "T-2.inlet"),
])"#;

/// A live session without a window, in a folder of its own.
struct World {
    app: App,
    folder: TempDir,
}

impl World {
    fn open(scene_allows: bool, arrange: impl FnOnce(&mut Options, &Path)) -> Self {
        Self::of(&SCENE.replace("ALLOWED", if scene_allows { "commands: true," } else { "" }), arrange)
    }

    /// Of a scene that names its broker.
    fn at(url: &str, more: &str) -> Self {
        let brokers = format!("brokers: {{\"plant\": (url: \"{url}\", commands: true{more})}},");
        Self::of(&SCENE.replace("ALLOWED", &brokers), |options, _| options.allow_commands = AllowCommands::OfScene)
    }

    fn of(scene: &str, arrange: impl FnOnce(&mut Options, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scene.ron");
        std::fs::write(&file, scene).unwrap();
        let mut options =
            Options { store: StorePlace::Nowhere, watch: false, operator: "ann".into(), ..Options::new(file) };
        arrange(&mut options, folder.path());
        let mut app = App::new();
        session::open(&mut app, options, Arc::new(|| {})).unwrap();
        app.finish();
        app.cleanup();
        app.update();
        Self { app, folder }
    }

    /// With a plant that obeys.
    fn with_plant(scene_allows: bool, user_allows: bool) -> Self {
        Self::open(scene_allows, |options, _| {
            options.plant = true;
            options.plant_options.operated = true;
            options.allow_commands = if user_allows { AllowCommands::OfScene } else { AllowCommands::No };
        })
    }

    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut App) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            self.app.update();
            if let Some(found) = found(&mut self.app) {
                return found;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "waited for {what}: {:?}", self.newest());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn until_seen(&mut self, twin: &str, signal: &str) {
        let index = self.app.world().resource::<LoadedScene>().scene.signal(twin, signal).unwrap().index;
        self.until(signal, |app| app.world().resource::<Analysis>().lock().history.newest(index));
    }

    fn give(&mut self, command: InstructionCommand) {
        self.app.world_mut().write_message(OperatorCommand::from(command));
        self.app.update();
    }

    /// Saves the scene with a change, and waits until it is taken over.
    fn reload(&mut self, from: &str, to: &str) {
        let file = self.folder.path().join("scene.ron");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from));
        std::fs::write(&file, text.replace(from, to)).unwrap();
        let before = self.app.world().resource::<LoadedScene>().generation;
        self.app.world_mut().write_message(OperatorCommand::from(SceneCommand::Reload));
        self.until("a reload", |app| (app.world().resource::<LoadedScene>().generation > before).then_some(()));
    }

    fn until_connected(&mut self, wanted: bool) {
        self.until("the connection", |app| {
            let sources = app.world().resource::<pollux::source::Sources>();
            let (state, _) = sources.running[0].status.connection();
            ((state == pollux::source::ConnectionState::Connected) == wanted).then_some(())
        });
    }

    fn newest(&self) -> Option<Instruction> {
        self.app.world().resource::<Desk>().iter().next_back().cloned()
    }

    fn prepare(&mut self, command: &str, given: &[(&str, f64)]) -> Instruction {
        let arguments = given.iter().map(|(name, value)| ((*name).to_owned(), Value::Number(*value))).collect();
        self.give(InstructionCommand::Prepare { twin: "V-1".into(), command: command.into(), arguments });
        self.newest().unwrap_or_else(|| panic!("{:?}", self.last_refusal()))
    }

    fn arm_and_send(&mut self, id: u64) {
        self.give(InstructionCommand::Arm(id));
        self.give(InstructionCommand::Send { id, reason: "to see".into() });
    }

    fn end_of(&mut self, id: u64) -> Instruction {
        self.until("an end", |app| app.world().resource::<Desk>().get(id).filter(|one| one.is_over()).cloned())
    }

    fn last_refusal(&self) -> String {
        self.app.world().resource::<Refusals>().last.clone().unwrap_or_default()
    }

    /// (state, by, reason) of each event about commands.
    fn told(&self) -> Vec<(State, Option<String>, String)> {
        told(&self.app)
    }
}

fn told(app: &App) -> Vec<(State, Option<String>, String)> {
    let knowledge = app.world().resource::<Analysis>().lock();
    let events = knowledge.chronicle().journal().iter().filter_map(|event| match &event.kind {
        Kind::Command { state, .. } => Some((*state, event.by.clone(), event.comment.clone())),
        _ => None,
    });
    events.collect()
}

#[test]
fn the_plant_obeys_what_scene_and_user_allow_and_journal_and_recording_tell_of_it() {
    let mut world = World::open(true, |options, folder| {
        options.plant = true;
        options.plant_options.operated = true;
        options.allow_commands = AllowCommands::OfScene;
        options.record = Some(RecordOptions::new(folder.join("two.mcap")));
    });
    world.until_seen("T-1", "level");
    world.until_seen("V-1", "position");
    let one = world.prepare("move", &[("opening", 80.0)]);
    assert_eq!(
        (one.state(), &one.payload[..], one.command.topic.as_str()),
        (State::Prepared, &b"80"[..], "two/V-1/order")
    );
    world.arm_and_send(one.id);
    let end = world.end_of(one.id);
    assert_eq!(end.state(), State::Verified, "{}", end.result());
    let by = |state, reason: &str| (state, Some("ann".to_owned()), reason.to_owned());
    let steps = [
        by(State::Prepared, ""),
        by(State::Armed, ""),
        by(State::Queued, "to see"),
        (State::Sent, None, String::new()),
        (State::Verified, None, String::new()),
    ];
    assert_eq!(world.told(), steps);
    let told = serde_json::to_value(state::of(world.app.world_mut())).unwrap();
    let command = &told["commands"][0];
    assert!(command["address"].as_str().unwrap().starts_with("mqtt://127.0.0.1:"), "{command}");
    assert_eq!(
        (&command["state"], &command["twin"], &command["arguments"]["opening"]),
        (&"verified".into(), &"V-1".into(), &80.0.into())
    );
    let World { app, folder } = world;
    drop(app);
    let mut app = App::new();
    let options = replay::Options { blocking: true, ..replay::Options::new([folder.path().join("two.mcap")]) };
    replay::open(&mut app, options, Arc::new(|| {})).unwrap();
    app.finish();
    app.cleanup();
    app.update();
    assert_eq!(self::told(&app), steps, "a replay shows the same");
    assert!(app.world().get_resource::<Outbox>().is_none(), "and owns no publisher");
}

#[test]
fn nothing_leaves_unless_both_scene_and_user_allow_it() {
    for (scene, user, why) in [
        (true, false, "commands are off: start with --allow-commands to send some"),
        (false, true, "the scene allows no commands there: its broker must say commands: true"),
        (false, false, "commands are off: the scene's broker must say commands: true, and --allow-commands be given"),
    ] {
        let mut world = World::with_plant(scene, user);
        world.until_seen("T-1", "level");
        assert_eq!(world.app.world().get_resource::<Outbox>().is_some(), user);
        let one = world.prepare("move", &[("opening", 80.0)]);
        world.arm_and_send(one.id);
        let end = world.end_of(one.id);
        assert_eq!((end.state(), end.result()), (State::Failed, format!("not sent: {why}").as_str()));
        std::thread::sleep(Duration::from_millis(300));
        world.app.update();
        let order = world.app.world().resource::<LoadedScene>().scene.signal("V-1", "order").unwrap().index;
        assert!(world.app.world().resource::<Analysis>().lock().history.newest(order).is_none(), "the wire is still");
    }
}

#[test]
fn a_command_to_a_broker_that_is_down_fails_at_once_and_never_leaves_later() {
    let Some(mut server) = Mosquitto::start() else { return };
    let url = server.url();
    server.kill();
    let mut world = World::open(true, |options, _| {
        options.broker = Some(url.clone());
        options.allow_commands = AllowCommands::At(url);
    });
    let one = world.prepare("ask", &[]);
    world.arm_and_send(one.id);
    let end = world.newest().unwrap();
    assert_eq!(end.state(), State::Failed);
    assert!(end.result().starts_with("not sent: the broker broker is not connected"), "{}", end.result());
    server.restart();
    let witness = Witness::start(&server, world.folder.path(), "two/V-1/ask");
    world.until_connected(true);
    let second = world.prepare("ask", &[]);
    world.arm_and_send(second.id);
    world.until("the second", |_| (!witness.lines().is_empty()).then_some(()));
    assert_eq!(witness.lines(), [format!(r#"1 0 {{"do":"ping","id":"{}"}}"#, second.token)], "at QoS 1, not retained");
}

#[test]
fn what_nobody_obeys_times_out() {
    let mut world = World::with_plant(true, true);
    world.until_seen("V-1", "position");
    let one = world.prepare("shout", &[]);
    world.arm_and_send(one.id);
    let end = world.end_of(one.id);
    assert_eq!(end.state(), State::TimedOut);
    assert!(end.result().starts_with("not seen within 1s: position > 1000 does not hold"), "{}", end.result());
}

#[test]
fn a_constraint_that_does_not_hold_keeps_it_here() {
    let mut world = World::open(true, |options, _| options.allow_commands = AllowCommands::OfScene);
    let one = world.prepare("move", &[("opening", 80.0)]);
    world.arm_and_send(one.id);
    let end = world.newest().unwrap();
    assert_eq!(end.state(), State::Failed);
    assert!(end.result().contains("is not known to hold: T-1.level has no value"), "{}", end.result());
    world.give(InstructionCommand::Prepare {
        twin: "V-1".into(),
        command: "move".into(),
        arguments: vec![("opening".into(), Value::Number(99.0))],
    });
    assert_eq!(world.last_refusal(), "V-1.move: opening: 5 to 95 % is expected, found 99 %");
}

#[test]
fn an_answer_of_the_equipment_is_the_verdict() {
    for (result, wanted) in [("done", State::Verified), ("busy", State::Failed)] {
        let mut world = World::open(true, |options, _| options.allow_commands = AllowCommands::OfScene);
        let url = session::embedded_url(&world.app).unwrap();
        let port = url.rsplit_once(':').unwrap().1.parse().unwrap();
        let (client, mut connection) = Client::new(MqttOptions::new("valve", "127.0.0.1", port), 10);
        client.subscribe("two/V-1/ask", QoS::AtLeastOnce).unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for event in connection.iter().map_while(Result::ok) {
                match event {
                    Event::Incoming(Packet::SubAck(_)) => drop(ready.send(())),
                    Event::Incoming(Packet::Publish(asked)) => {
                        let asked: serde_json::Value = serde_json::from_slice(&asked.payload).unwrap();
                        // To somebody else first.
                        for (id, result) in [("other".into(), "busy".into()), (asked["id"].clone(), result.to_owned())]
                        {
                            let answer = serde_json::json!({"id": id, "result": result}).to_string();
                            client.publish("two/V-1/answer", QoS::AtLeastOnce, false, answer).unwrap();
                        }
                    }
                    _ => {}
                }
            }
        });
        is_ready.recv_timeout(Duration::from_secs(10)).unwrap();
        world.until_connected(true);
        // The subscription to answers is on its way right after the connection.
        std::thread::sleep(Duration::from_millis(300));
        let one = world.prepare("ask", &[]);
        world.arm_and_send(one.id);
        let end = world.end_of(one.id);
        assert_eq!(end.state(), wanted, "{}", end.result());
    }
}

#[test]
fn a_broker_that_moves_while_the_session_runs_gets_no_commands() {
    let mut world = World::at("mqtt://127.0.0.1:9", "");
    world.reload("127.0.0.1:9", "127.0.0.1:10");
    let one = world.prepare("ask", &[]);
    assert_eq!(one.destination.address, "mqtt://127.0.0.1:10");
    world.arm_and_send(one.id);
    let end = world.newest().unwrap();
    assert_eq!(end.state(), State::Failed);
    assert!(end.result().contains("is not one that was allowed at the start"), "{}", end.result());
    let knowledge = world.app.world().resource::<Analysis>().lock();
    let said = knowledge.chronicle().journal().iter().any(|event| {
        event.summary().contains("the broker plant: it was allowed at mqtt://127.0.0.1:9 and is at mqtt://127.0.0.1:10")
    });
    assert!(said, "the journal says so");
}

#[test]
fn what_became_of_a_message_is_told_though_its_connection_was_replaced() {
    let Some(server) = Mosquitto::start() else { return };
    let mut world = World::at(&server.url(), "");
    world.until_connected(true);
    // A broker that hangs acknowledges nothing.
    let stopped = Stopped::new(&server);
    let one = world.prepare("ask", &[]);
    world.arm_and_send(one.id);
    assert_eq!(world.newest().unwrap().state(), State::Queued);
    world.reload("commands: true", "commands: true, keep_alive: \"20s\"");
    let end = world.end_of(one.id);
    assert_eq!(end.state(), State::Failed);
    assert!(end.result().contains("whether it arrived is not known"), "{}", end.result());
    drop(stopped);
}

/// A broker that hangs until this is dropped.
struct Stopped(String);

impl Stopped {
    fn new(server: &Mosquitto) -> Self {
        let this = Self(server.process().to_string());
        this.signal("-STOP");
        this
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.0]).status().unwrap().success());
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

#[test]
fn values_of_a_broker_that_is_gone_hold_no_constraint() {
    let Some(mut server) = Mosquitto::start() else { return };
    let mut world = World::at(&server.url(), "");
    world.until_connected(true);
    let port = server.port.to_string();
    let publish = |retain: &[&str]| {
        let args = ["-h", "127.0.0.1", "-p", &port, "-t", "two/T-1", "-m", r#"{"level": 1}"#];
        assert!(Command::new("mosquitto_pub").args(args).args(retain).status().unwrap().success());
    };
    publish(&[]);
    world.until_seen("T-1", "level");
    let one = world.prepare("move", &[("opening", 80.0)]);
    assert_eq!(one.constraints()[0].holds, Some(true), "{:?}", one.constraints());
    server.kill();
    world.until_connected(false);
    let text = world.until("a look", |app| {
        let one = app.world().resource::<Desk>().get(one.id).unwrap();
        (one.constraints()[0].holds.is_none()).then(|| one.constraints()[0].text())
    });
    assert!(text.contains("its broker plant is not connected"), "{text}");
    // What the broker has kept is of unknown age, until a live message says the same.
    server.restart();
    publish(&["-r"]);
    world.reload("commands: true", "commands: true, keep_alive: \"20s\"");
    world.until_connected(true);
    let one = world.prepare("move", &[("opening", 80.0)]);
    let text = world.until("the retained value", |app| {
        let text = app.world().resource::<Desk>().get(one.id).unwrap().constraints()[0].text();
        text.contains("retained").then_some(text)
    });
    assert!(text.contains("no live message has confirmed it yet"), "{text}");
    publish(&[]);
    world.until("a live value", |app| {
        let one = app.world().resource::<Desk>().get(one.id).unwrap();
        (one.constraints()[0].holds == Some(true)).then_some(())
    });
}

#[test]
fn a_broker_of_mqtt_5_drops_a_command_that_it_could_not_deliver_in_time() {
    let Some(server) = Mosquitto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let witness = Witness::start_with(&server, folder.path(), "two/V-1/ask", &["-V", "5", "-F", "%E %r"]);
    let mut world = World::at(&server.url(), ", version: V5");
    world.until_connected(true);
    let one = world.prepare("ask", &[]);
    world.arm_and_send(one.id);
    world.until("the message", |_| (!witness.lines().is_empty()).then_some(()));
    assert_eq!(witness.lines(), ["10 0"], "seconds until it expires, not retained");
}

/// Of the commands that a store has kept: state and result of the last event of each.
fn kept(store: &Path) -> Vec<(State, String)> {
    let (_, restored) = pollux::event::store::Store::open(store, pollux::value::Timestamp::now()).unwrap();
    let events: Vec<_> = restored.events.iter().map(|event| &**event).collect();
    pollux::event::commanded(events).into_iter().map(|one| (one.state, one.result)).collect()
}

#[test]
fn what_is_under_way_at_the_end_of_a_session_gets_a_last_event() {
    let mut world = World::open(true, |options, folder| {
        options.allow_commands = AllowCommands::OfScene;
        options.store = StorePlace::At(folder.join("kept.store"));
    });
    world.until_connected(true);
    let one = world.prepare("ask", &[]);
    world.arm_and_send(one.id);
    world.until("it is sent", |app| (app.world().resource::<Desk>().get(one.id)?.state() == State::Sent).then_some(()));
    world.prepare("shout", &[]);
    let World { app, folder } = world;
    drop(app);
    let told = kept(&folder.path().join("kept.store"));
    let expected = [
        (State::TimedOut, "the session ended: whether it was obeyed is not known".to_owned()),
        (State::Cancelled, "the session ended before it was sent".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_cannot_be_put_on_record_does_not_leave() {
    let Some(server) = Mosquitto::start() else { return };
    let mut world = World::of(
        &SCENE.replace("ALLOWED", &format!("brokers: {{\"plant\": (url: \"{}\", commands: true)}},", server.url())),
        |options, folder| {
            options.allow_commands = AllowCommands::OfScene;
            options.store = StorePlace::At(folder.join("state/kept.store"));
        },
    );
    let witness = Witness::start(&server, world.folder.path(), "two/V-1/ask");
    world.until_connected(true);
    let one = world.prepare("ask", &[]);
    std::fs::remove_dir_all(world.folder.path().join("state")).unwrap();
    world.arm_and_send(one.id);
    let end = world.newest().unwrap();
    assert_eq!(end.state(), State::Failed);
    assert!(end.result().starts_with("not sent: it cannot be put on record: the store"), "{}", end.result());
    std::thread::sleep(Duration::from_millis(300));
    assert!(witness.lines().is_empty());
}

#[test]
fn another_broker_than_that_of_the_scene_must_be_allowed_by_its_address() {
    let usage = |args: &[&str], wanted: &str| {
        let (code, _, err) = command(&[&[BOTTLING, "P-602.stop", "--send", "--reason", "x"][..], args].concat());
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.contains(wanted), "{wanted} in {err}");
    };
    usage(&["--broker", "mqtt://127.0.0.1", "--allow-commands"], "say --allow-commands=mqtt://127.0.0.1:1883");
    let other = ["--broker", "mqtt://127.0.0.1", "--allow-commands=mqtt://127.0.0.1:1884"];
    usage(&other, "is not the address of --broker, mqtt://127.0.0.1:1883");
    let live = ["live", BOTTLING, "--headless", "--broker", "mqtt://127.0.0.1", "--allow-commands", "--for", "1s"];
    let output = pollux().args(live).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}

/// `mosquitto_sub` on a topic: QoS, retain flag and payload; killed when it is dropped.
struct Witness {
    child: std::process::Child,
    file: std::path::PathBuf,
}

impl Witness {
    fn start(server: &Mosquitto, folder: &Path, topic: &str) -> Self {
        Self::start_with(server, folder, topic, &["-F", "%q %r %p"])
    }

    fn start_with(server: &Mosquitto, folder: &Path, topic: &str, more: &[&str]) -> Self {
        let file = folder.join("witness");
        let child = Command::new("mosquitto_sub")
            .args(["-h", "127.0.0.1", "-p", &server.port.to_string(), "-t", topic, "-q", "2"])
            .args(more)
            .stdout(std::fs::File::create(&file).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Its subscription stands when the broker has written of it.
        let begun = Instant::now();
        while !server.log().contains(topic) && begun.elapsed() < Duration::from_secs(1) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, file }
    }

    fn lines(&self) -> Vec<String> {
        std::fs::read_to_string(&self.file).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BOTTLING: &str = "scenes/bottling/scene.ron";

/// Runs `pollux command`: exit code, standard output, standard error.
fn command(args: &[&str]) -> (Option<i32>, String, String) {
    static STATE: std::sync::LazyLock<TempDir> = std::sync::LazyLock::new(|| tempfile::tempdir().unwrap());
    command_with(STATE.path(), args)
}

/// The same, with another folder for what it keeps.
fn command_with(state: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut program = pollux();
    program.arg("command").args(args).env("NO_COLOR", "1").env("XDG_STATE_HOME", state);
    let output = program.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_bottling_hall_obeys_commands_over_mosquitto_and_scripts_read_the_verdict() {
    let Some(server) = Mosquitto::start() else { return };
    let url = server.url();
    let mut plant = pollux();
    plant.args(["plant", BOTTLING, "--operated", "--no-story", "--for", "120s", "--broker", &url]);
    let _plant = Program::start(plant, tempfile::tempdir().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let witness = Witness::start(&server, folder.path(), "line1/+/command");
    let events = folder.path().join("events.jsonl");
    let send = |path: &str, more: &[&str]| {
        let allow = format!("--allow-commands={url}");
        let args = ["--broker", &url, "--send", "--reason", "a test", &allow, "--operator", "ann"];
        command_with(
            folder.path(),
            &[&[BOTTLING, path][..], more, &args, &["--events", events.to_str().unwrap()]].concat(),
        )
    };
    let (code, out, err) = send("LIC-100.set_point", &["target=190cm"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("verified, abs(set_point - target) < 0.001 holds"), "{out}");
    let (code, out, err) = send("P-602.stop", &[]);
    assert_eq!(code, Some(0), "{out}{err}");
    let (code, out, err) = send("P-602.set_frequency", &["frequency=40"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("failed, not sent: running does not hold: running is false"), "{out}");
    let (code, out, err) = send("P-602.start", &["--format", "json"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&told["payload"], &told["outcome"]["state"]), (&r#"{"frequency":48}"#.into(), &"verified".into()));
    assert_eq!(
        witness.lines(),
        [r#"1 0 {"set_point":1.9}"#, r#"1 0 {"frequency":0}"#, r#"1 0 {"frequency":48}"#],
        "what was refused never was on the wire"
    );
    let events = std::fs::read_to_string(events).unwrap();
    let of_commands = events.lines().filter(|line| line.contains(r#""kind":"command""#)).count();
    assert_eq!(of_commands, 5 + 5 + 3 + 5, "{events}");
    let mut stores = std::fs::read_dir(folder.path().join("pollux")).unwrap().map(|entry| entry.unwrap().path());
    let store = stores.find(|path| path.to_string_lossy().ends_with(".commands.store")).expect("a journal of its own");
    let states: Vec<State> = kept(&store).into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, [State::Verified, State::Verified, State::Failed, State::Verified]);
    // A dry run that listens says how the constraints stand, and sends nothing.
    let (code, out, err) = command(&[BOTTLING, "P-602.stop", "--broker", &url, "--wait", "10s"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("running holds: running is true"), "{out}");
    assert!(out.contains(&format!("broker      broker at {url}")), "the address is seen: {out}");
    assert_eq!(witness.lines().len(), 3);
}

#[test]
fn wrong_use_and_a_missing_broker_have_exit_codes_of_their_own() {
    let (code, out, _) = command(&[BOTTLING]);
    assert_eq!(code, Some(0));
    assert!(out.contains("P-602.stop (critical): Stops the pump") && out.contains("target: 4 to 12 °C"), "{out}");
    let (code, out, _) = command(&[BOTTLING, "LIC-100.set_point", "target=1.9"]);
    assert_eq!(code, Some(0), "a dry run needs no broker");
    for line in ["line1/LIC-100/command, QoS 1, not retained", r#"{"set_point":1.9}"#, "not judged"] {
        assert!(out.contains(line), "{line} in {out}");
    }
    let usage = [
        (&["LIC-100.set_point", "target=9"][..], "target: 0.6 to 2.4 m is expected, found 9 m"),
        (&["LIC-100.set_point"], "target: 0.6 to 2.4 m is needed"),
        (&["LIC-100.set_pont", "target=1.9"], "did you mean LIC-100.set_point?"),
        (&["LIC-100.set_point", "1.9"], "write NAME=VALUE"),
        (&["LIC-100.set_point", "target=1.9", "--send"], "--reason"),
        (&["LIC-100.set_point", "target=1.9", "--send", "--reason", "x"], "add --allow-commands"),
        (&["LIC-100.set_point", "target=1.9", "--wait", "1s"], "add --broker"),
    ];
    for (args, wanted) in usage {
        let (code, _, err) = command(&[&[BOTTLING], args].concat());
        assert_eq!(code, Some(2), "{args:?}: {err}");
        assert!(err.contains(wanted), "{wanted} in {err}");
    }
    let allow = "--allow-commands=mqtt://127.0.0.1:9";
    let nobody = ["--broker", "mqtt://127.0.0.1:9", "--send", "--reason", "x", allow, "--wait", "1s"];
    let (code, _, err) = command(&[&[BOTTLING, "P-602.stop"][..], &nobody].concat());
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("nothing listens there"), "{err}");
}
