//! Files that are dragged and dropped, through the systems of a window but without one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::history::{Cursor, ViewTime};
use crate::panel::drop_hint::FileKind;
use crate::recent;
use crate::replay::{self, Options};
use crate::scene::LoadedScene;
use crate::stage::CorePlugins;

const INCIDENT: &str = "scenes/bottling/incident.mcap";
const PATIENCE: Duration = Duration::from_secs(30);

/// A window without a window, and a folder for its files.
struct Desk {
    app: App,
    folder: tempfile::TempDir,
}

impl Desk {
    /// That shows a recording, a minute after its start.
    fn replay() -> Self {
        Self::new(|app| {
            let at = Some(replay::At::After(Duration::from_secs(60)));
            let options = Options { at, blocking: true, ..Options::new([INCIDENT]) };
            replay::open(app, options, Arc::new(|| {})).unwrap();
        })
    }

    fn live() -> Self {
        Self::new(|app| {
            app.add_plugins(CorePlugins);
        })
    }

    fn new(open: impl FnOnce(&mut App)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut app = App::new();
        open(&mut app);
        app.init_resource::<Shell>().init_resource::<RecentFiles>();
        let recent = Some(folder.path().join("recent.json"));
        let surroundings = Surroundings { pollux: folder.path().join("stub"), recent };
        install_within(&mut app, surroundings, Arc::new(|| {}));
        app.finish();
        app.cleanup();
        app.update();
        Self { app, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn recording(&self, name: &str) -> PathBuf {
        self.file(name, &fs::read(INCIDENT).unwrap())
    }

    fn send(&mut self, drag: FileDragAndDrop) {
        self.app.world_mut().write_message(drag);
    }

    fn hover(&mut self, path: &Path) {
        self.send(FileDragAndDrop::HoveredFile { window: Entity::PLACEHOLDER, path_buf: path.to_owned() });
    }

    fn drop(&mut self, path: &Path) {
        self.send(FileDragAndDrop::DroppedFile { window: Entity::PLACEHOLDER, path_buf: path.to_owned() });
    }

    fn leave(&mut self) {
        self.send(FileDragAndDrop::HoveredFileCanceled { window: Entity::PLACEHOLDER });
    }

    /// Draws frames until `find` finds something.
    fn until<T>(&mut self, mut find: impl FnMut(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            self.app.update();
            if let Some(found) = find(self) {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{:?}, {:?}", self.notice(), self.hovered());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.app.world().resource::<Shell>().notice.clone()
    }

    fn hovered(&self) -> Option<Vec<(String, Option<FileKind>)>> {
        let hovered = self.app.world().resource::<Shell>().hovered.clone()?;
        Some(hovered.files.into_iter().map(|file| (file.name, file.kind)).collect())
    }

    /// How often another scene or recording was shown, and whether it plays, this many seconds after its start.
    fn shown(&self) -> (u32, bool, u64) {
        let world = self.app.world();
        let moment = world.resource::<ViewTime>();
        let plays = matches!(world.resource::<Cursor>(), Cursor::Playing { .. });
        let generation = world.resource::<LoadedScene>().generation;
        (generation, plays, moment.shown.secs_since(moment.session_start).round() as u64)
    }

    /// What it says, in the end, about files that cannot be opened.
    fn refusal(&mut self) -> String {
        self.until(|desk| match desk.notice() {
            Some(Notice::Failed(why)) => Some(why),
            _ => None,
        })
    }

    fn remembered(&self) -> Vec<PathBuf> {
        recent::read(&self.path("recent.json")).unwrap().into_iter().flat_map(|recent| recent.files).collect()
    }
}

#[test]
fn a_dropped_recording_takes_the_place_of_the_one_that_is_shown() {
    let mut desk = Desk::replay();
    assert_eq!(desk.shown(), (1, false, 60));
    // As a file manager of a German desk names it.
    let path = desk.recording("Störung 7 (März).mcap");
    desk.app.world_mut().resource_mut::<Shell>().open.open();
    desk.drop(&path);
    desk.until(|desk| (desk.shown().0 == 2).then_some(()));
    let (_, plays, secs) = desk.shown();
    assert!(plays && secs < 60, "it begins at its start: {secs} s");
    assert_eq!(desk.notice(), None);
    assert_eq!(desk.remembered(), [path]);
    assert!(!desk.app.world().resource::<Shell>().open.is_open, "there is nothing left to choose");
}

#[test]
fn recordings_that_are_dropped_together_open_as_one_timeline() {
    let mut desk = Desk::replay();
    let (a, b) = (desk.recording("a.mcap"), desk.recording("b.mcap"));
    // The system may deliver them in two frames.
    desk.drop(&a);
    desk.app.update();
    desk.drop(&b);
    desk.until(|desk| (desk.shown().0 == 2).then_some(()));
    assert_eq!(desk.remembered(), [a, b]);
}

#[test]
fn what_cannot_be_opened_is_refused_with_file_rule_and_way_out_and_what_is_shown_stays() {
    let mut desk = Desk::replay();
    let notes = desk.file("notes.txt", b"bearing changed on Monday");
    desk.drop(&notes);
    let said = desk.refusal();
    let rule = "is no recording: it does not begin as an MCAP file does";
    let way_out = "recordings (.mcap) and scenes (.ron) can be opened, and `pollux import` makes a recording of another \
                   program's log";
    assert_eq!(said, format!("{}: {rule}; {way_out}", notes.display()));

    let gone = desk.path("gone.mcap");
    let cases = [
        (vec![gone.clone()], "gone.mcap: cannot be opened"),
        (vec![desk.folder.path().to_owned()], "is a folder; name a recording in it"),
        (vec![desk.recording("a.mcap"), desk.file("s.ron", b"")], "open a scene by itself"),
        (vec![desk.path("s.ron")], "s.ron: "),
        (vec![desk.file("cut.mcap", &fs::read(INCIDENT).unwrap()[..8])], "cut.mcap: holds no message"),
    ];
    for (files, part) in cases {
        desk.app.world_mut().resource_mut::<Shell>().notice = None;
        files.iter().for_each(|file| desk.drop(file));
        let said = desk.refusal();
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(desk.shown(), (1, false, 60));
    assert!(desk.remembered().is_empty());
}

#[cfg(unix)]
#[test]
fn a_live_session_goes_on_and_what_is_dropped_gets_a_window_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let mut desk = Desk::live();
    let log = desk.path("log");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new; mv {0}.new {0}\necho 'pollux: no display' >&2\nexit 3\n",
        log.display()
    );
    let stub = desk.file("stub", script.as_bytes());
    fs::set_permissions(stub, fs::Permissions::from_mode(0o755)).unwrap();
    let path = desk.recording("Schicht 3.mcap");
    desk.drop(&path);
    let asked = desk.until(|_| fs::read_to_string(&log).ok());
    assert_eq!(asked, format!("play\n{}\n", path.display()));
    assert_eq!(desk.refusal(), "the other window has ended: no display");
    let live = *desk.app.world().resource::<Cursor>();
    assert_eq!((desk.shown().0, live), (0, Cursor::Live));
}

#[test]
fn what_hovers_is_named_and_looked_at_until_it_leaves_or_is_dropped() {
    let mut desk = Desk::replay();
    let (a, notes) = (desk.recording("Störung 7.mcap"), desk.file("notes.txt", b"text"));
    let why = "is no recording: it does not begin as an MCAP file does".to_owned();
    let known = |desk: &Desk| desk.hovered().filter(|files| files.iter().all(|(_, kind)| kind.is_some()));

    desk.hover(&a);
    desk.hover(&notes);
    desk.app.update();
    let names: Vec<_> = desk.hovered().unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Störung 7.mcap", "notes.txt"], "in the frame in which they came");
    let kinds = [Some(FileKind::Recording), Some(FileKind::Neither(why))];
    assert_eq!(desk.until(known).into_iter().map(|(_, kind)| kind).collect::<Vec<_>>(), kinds);

    desk.leave();
    desk.app.update();
    assert_eq!(desk.hovered(), None);

    let scene = desk.file("s.RON", b"Scene(");
    desk.hover(&scene);
    assert_eq!(desk.until(known), [("s.RON".to_owned(), Some(FileKind::Scene))], "nothing is left of those before");
    desk.leave();
    let gone = desk.path("gone.mcap");
    desk.hover(&gone);
    desk.app.update();
    assert_eq!(desk.hovered().unwrap().len(), 1, "one left, and another came in the same frame");
    assert!(
        matches!(&desk.until(known)[..], [(_, Some(FileKind::Neither(why)))] if why.starts_with("cannot be opened"))
    );
    desk.leave();

    desk.hover(&a);
    desk.app.update();
    assert!(desk.hovered().is_some());
    desk.drop(&a);
    desk.app.update();
    assert_eq!(desk.hovered(), None);
    desk.until(|desk| (desk.shown().0 == 2).then_some(()));
}

#[test]
fn a_pointer_that_moves_again_ends_a_drag_that_nobody_has_ended() {
    let mut desk = Desk::live();
    let path = desk.recording("a.mcap");
    let moved = CursorMoved { window: Entity::PLACEHOLDER, position: Vec2::ZERO, delta: None };
    // On its way to the edge of the window, before the drag.
    desk.app.world_mut().write_message(moved.clone());
    desk.hover(&path);
    desk.app.update();
    assert!(desk.hovered().is_some());
    desk.app.update();
    assert!(desk.hovered().is_some(), "it hovers as long as it does");
    desk.app.world_mut().write_message(moved);
    desk.app.update();
    assert_eq!(desk.hovered(), None);
}
