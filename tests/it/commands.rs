//! One command of each group, in each kind of world: something comes of it, or it is refused in words.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy::prelude::*;
use pollux::alarm::Action;
use pollux::analysis::Analysis;
use pollux::command::{
    AlarmCommand, Attention, AttentionCommand, CameraCommand, Ghosts, InstructionCommand, JournalCommand, LayerCommand,
    OpenCommand, OperatorCommand, RecordingCommand, Refusals, SceneCommand, TimeCommand,
};
use pollux::event::{Filter, Kind};
use pollux::history::Cursor;
use pollux::replay;
use pollux::scene::LoadedScene;
use pollux::scene::rule::{AlarmPath, Priority};
use pollux::session::{self, Options, StorePlace};
use pollux::value::TwinIndex;

use crate::replay::run;

fn begin(app: &mut App) {
    app.finish();
    app.cleanup();
    app.update();
}

/// What was said in the journal since the last look, what was refused of late, and how often.
struct Said {
    heard: u64,
    refused: u64,
}

impl Said {
    fn from_now_on(app: &App) -> Self {
        let heard = app.world().resource::<Analysis>().lock().chronicle().journal().last_id();
        Self { heard, refused: app.world().resource::<Refusals>().count }
    }

    /// Gives a command, and what came of it: events by their summaries, then the reason of a refusal.
    fn of(&mut self, app: &mut App, command: impl Into<OperatorCommand>) -> String {
        app.world_mut().write_message(command.into());
        let begun = Instant::now();
        let mut said = Vec::new();
        // What threads do on behalf of a command takes some frames.
        while said.is_empty() && begun.elapsed() < Duration::from_secs(2) {
            app.update();
            let knowledge = app.world().resource::<Analysis>().lock();
            let journal = knowledge.chronicle().journal();
            let new = journal.after(self.heard).filter(|event| !matches!(event.kind, Kind::Connection { .. }));
            said.extend(new.map(|event| event.summary()));
            self.heard = journal.last_id();
            drop(knowledge);
            let refusals = app.world().resource::<Refusals>();
            if refusals.count > self.refused {
                self.refused = refusals.count;
                said.push(format!("refused: {}", refusals.last.clone().unwrap_or_default()));
            }
        }
        said.join("; ")
    }
}

fn note(text: &str) -> JournalCommand {
    JournalCommand::Note { text: text.to_owned(), twin: None, at: None }
}

fn start() -> InstructionCommand {
    InstructionCommand::Prepare { twin: "P-1".into(), command: "start".into(), arguments: Vec::new() }
}

fn acknowledge(app: &App) -> AlarmCommand {
    let scene = &app.world().resource::<LoadedScene>().scene;
    let alarms = vec![AlarmPath::of_rule(&scene.alarms[0], scene)];
    AlarmCommand::Act { alarms, action: Action::Acknowledge, comment: String::new() }
}

/// What a world without a window and without a recording beside it says to what only these have.
fn refuses_what_it_does_not_have(app: &mut App, said: &mut Said) {
    for (command, why) in [
        (CameraCommand::Focus(None).into(), "the camera cannot be moved: a world without a window has none"),
        (
            OpenCommand(vec!["a.mcap".into()]).into(),
            "nothing else can be opened: a world without a window shows what it was started with",
        ),
        (
            LayerCommand::ShowGhosts(Ghosts::All).into(),
            "nothing lies beside what is shown: start with --beside to compare",
        ),
    ] as [(OperatorCommand, &str); 3]
    {
        assert_eq!(said.of(app, command), format!("{why}; refused: {why}"));
    }
}

#[test]
fn a_live_session_carries_out_or_refuses_a_command_of_each_group() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scene.ron");
    std::fs::write(&file, run::SCENE).unwrap();
    let mut app = App::new();
    let options = Options { store: StorePlace::Nowhere, watch: false, ..Options::new(file) };
    session::open(&mut app, options, Arc::new(|| {})).unwrap();
    begin(&mut app);
    let said = &mut Said::from_now_on(&app);

    app.world_mut().write_message(OperatorCommand::from(AttentionCommand::Select(Some(TwinIndex(1)))));
    app.update();
    assert_eq!(app.world().resource::<Attention>().selected, Some(TwinIndex(1)));

    let alarm = acknowledge(&app);
    assert!(said.of(&mut app, alarm.clone()).contains("acknowledgement of P-1/flow.low refused"));
    let horn = said.of(&mut app, AlarmCommand::Sound(Some(Priority::High)));
    assert_eq!(horn, "the horn sounds for alarms of priority high and above");
    assert_eq!(said.of(&mut app, note("smells hot")), "smells hot");
    let events = folder.path().join("events.csv");
    let exported = said.of(&mut app, JournalCommand::Export { path: events.clone(), filter: Filter::default() });
    assert!(exported.contains("events.csv") && events.exists(), "{exported}");
    let why = "there is no command P-1.start";
    assert_eq!(said.of(&mut app, start()), format!("{why}; refused: {why}"));
    assert!(said.of(&mut app, SceneCommand::UndoEdit).starts_with("there is no edit of the scene to undo"));
    assert!(said.of(&mut app, SceneCommand::Reload).starts_with("scene"), "it is read again");
    assert_eq!(
        said.of(&mut app, RecordingCommand::KeepPast),
        "nothing is held in memory: start with --record-before to have the past"
    );
    refuses_what_it_does_not_have(&mut app, said);

    app.world_mut().write_message(OperatorCommand::from(TimeCommand::Pause));
    app.update();
    assert!(matches!(app.world().resource::<Cursor>(), Cursor::Paused(_)));
    assert_eq!(said.of(&mut app, alarm), "refused: alarms are handled live: the cursor is in the past");
}

#[test]
fn a_replay_carries_out_or_refuses_a_command_of_each_group() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = run::record(folder.path(), 21);
    let mut app = App::new();
    let options = replay::Options { blocking: true, ..replay::Options::new([&recorded.file]) };
    replay::open(&mut app, options, Arc::new(|| {})).unwrap();
    begin(&mut app);
    let said = &mut Said::from_now_on(&app);

    app.world_mut().write_message(OperatorCommand::from(AttentionCommand::Select(Some(TwinIndex(1)))));
    app.update();
    assert_eq!(app.world().resource::<Attention>().selected, Some(TwinIndex(1)));
    app.world_mut().write_message(OperatorCommand::from(TimeCommand::GoLive));
    app.update();
    assert!(matches!(app.world().resource::<Cursor>(), Cursor::Paused(_)));

    let alarm = acknowledge(&app);
    assert_eq!(
        said.of(&mut app, alarm),
        "refused: P-1/flow.low: this is a recording: its alarms were dealt with when it was made; act on those of the \
         live session"
    );
    let why = "the horn cannot be switched: this world annunciates nothing";
    assert_eq!(said.of(&mut app, AlarmCommand::Sound(None)), format!("{why}; refused: {why}"));
    refuses_what_it_does_not_have(&mut app, said);
    let (edits, scene, records) = (
        "this is a recording: the alarms of its scene stay as they were; edit them in the live session",
        "this is a recording: its scene stays as it was",
        "this is a recording: nothing is recorded here",
    );
    assert_eq!(
        said.of(&mut app, start()),
        "this is a recording: commands reach no equipment from here; give them live"
    );
    assert_eq!(said.of(&mut app, SceneCommand::UndoEdit), edits);
    assert_eq!(said.of(&mut app, SceneCommand::Reload), scene);
    assert_eq!(said.of(&mut app, RecordingCommand::Stop), records);
    assert_eq!(said.of(&mut app, note("smells hot")), "smells hot");
    assert_eq!(notes_beside(&recorded.file).lines().count(), 1, "what people write is kept, answers are not");
}

fn notes_beside(recording: &Path) -> String {
    std::fs::read_to_string(pollux::record::notes::beside(recording)).unwrap()
}
