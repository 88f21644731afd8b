//! Files dragged onto the real window by another program: the drag-and-drop protocol of X11 (XDND version 5,
//! <https://freedesktop.org/wiki/Specifications/XDND>) spoken by hand, so that no pointer has to move. Skipped, and said so,
//! where there is no Xvfb or no graphics adapter.

use std::path::Path;
use std::time::{Duration, Instant};

use x11rb::COPY_DEPTH_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode, SelectionNotifyEvent,
    Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use super::program::{PATIENCE, Program, STATE_HOME, pollux, wait_for};
use super::window::{Display, is_without_adapter};

const INCIDENT: &str = "scenes/bottling/incident.mcap";

/// Another program, such as a file manager, with its window.
struct Source {
    connection: RustConnection,
    root: Window,
    window: Window,
}

impl Source {
    fn new(display: &Display) -> Self {
        let (connection, screen) = x11rb::connect(Some(&display.name)).unwrap();
        let root = connection.setup().roots[screen].root;
        let window = connection.generate_id().unwrap();
        let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        connection.create_window(COPY_DEPTH_FROM_PARENT, window, root, 0, 0, 1, 1, 0, class, 0, &aux).unwrap();
        Self { connection, root, window }
    }

    fn atom(&self, name: &str) -> Atom {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// The window, or one within it, that takes what is dropped.
    fn target(&self, within: Window) -> Option<Window> {
        let aware = self.atom("XdndAware");
        let property = self.connection.get_property(false, within, aware, AtomEnum::ANY, 0, 1).ok()?.reply().ok()?;
        if property.value_len > 0 {
            return Some(within);
        }
        let children = self.connection.query_tree(within).ok()?.reply().ok()?.children;
        children.into_iter().find_map(|child| self.target(child))
    }

    fn tell(&self, target: Window, kind: &str, data: [u32; 4]) {
        let data = [self.window, data[0], data[1], data[2], data[3]];
        let message = ClientMessageEvent::new(32, target, self.atom(kind), data);
        self.connection.send_event(false, target, EventMask::NO_EVENT, message).unwrap();
        self.connection.flush().unwrap();
    }

    /// Hands over `uris` when they are asked for; returns when the target has said `kind`, with its answer.
    fn hears(&self, kind: &str, uris: &str) -> bool {
        let (kind_atom, begun) = (self.atom(kind), Instant::now());
        while begun.elapsed() < PATIENCE {
            match self.connection.poll_for_event().unwrap() {
                Some(Event::SelectionRequest(asked)) => {
                    let (to, place) = (asked.requestor, asked.property);
                    self.connection
                        .change_property8(PropMode::REPLACE, to, place, asked.target, uris.as_bytes())
                        .unwrap();
                    let answer = SelectionNotifyEvent {
                        response_type: x11rb::protocol::xproto::SELECTION_NOTIFY_EVENT,
                        sequence: 0,
                        time: asked.time,
                        requestor: to,
                        selection: asked.selection,
                        target: asked.target,
                        property: place,
                    };
                    self.connection.send_event(false, to, EventMask::NO_EVENT, answer).unwrap();
                    self.connection.flush().unwrap();
                    if kind == "the question" {
                        return true;
                    }
                }
                Some(Event::ClientMessage(said)) if said.type_ == kind_atom => {
                    return said.data.as_data32()[1] & 1 == 1;
                }
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        panic!("the window did not say {kind}");
    }

    /// Drags files above the window and lets them fall. Says whether the window took them.
    fn drop(&self, target: Window, files: &[&Path]) -> bool {
        let uris: String =
            files.iter().map(|file| format!("{}\r\n", url::Url::from_file_path(file).unwrap())).collect();
        let selection = self.atom("XdndSelection");
        self.connection.set_selection_owner(self.window, selection, x11rb::CURRENT_TIME).unwrap();
        self.tell(target, "XdndEnter", [5 << 24, self.atom("text/uri-list"), 0, 0]);
        self.tell(target, "XdndPosition", [0, (300 << 16) | 300, x11rb::CURRENT_TIME, self.atom("XdndActionCopy")]);
        assert!(self.hears("the question", &uris));
        self.tell(target, "XdndDrop", [0, x11rb::CURRENT_TIME, 0, 0]);
        self.hears("XdndFinished", &uris)
    }
}

#[test]
fn what_another_program_drops_on_the_window_is_opened_or_refused_with_the_reason() {
    let Some(display) = Display::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("Störung 7 (50 % März).mcap");
    std::fs::copy(INCIDENT, &recording).unwrap();
    let notes = folder.path().join("notes.txt");
    std::fs::write(&notes, "bearing changed on Monday").unwrap();
    let home = folder.path().join("home");
    let mut command = pollux();
    command.args(["play", INCIDENT, "--at", "60s", "--for", "240s", "--state"]).arg(folder.path().join("state.json"));
    command.env("DISPLAY", &display.name).env_remove("WAYLAND_DISPLAY").env(STATE_HOME, &home);
    let program = Program::start(command, folder);
    let source = Source::new(&display);
    let look = || {
        if is_without_adapter(&program.heard()) {
            return Some(None);
        }
        source.target(source.root).map(Some)
    };
    let Some(target) = wait_for(look, || format!("no window takes files: {}", program.heard())) else { return };

    assert!(source.drop(target, &[&notes]));
    let said = program.says("is no recording");
    assert!(
        said.contains("notes.txt") && said.contains("recordings (.mcap) and scenes (.ron) can be opened"),
        "{said}"
    );

    assert!(source.drop(target, &[&recording]));
    let newest = || pollux::recent::read(&home.join("pollux/recent.json")).ok()?.into_iter().next();
    let opened = || newest().filter(|newest| newest.files == [recording.clone()]);
    wait_for(opened, || format!("it was not opened: {:?}, {}", newest(), program.heard()));
    // It is shown in the next frame.
    std::thread::sleep(Duration::from_secs(3));
    let end = program.stop();
    assert_eq!(end.state()["cursor"]["mode"], "playing", "the recording that was shown before stood still");
}
