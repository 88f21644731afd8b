//! Files that are dragged above the window. In: drag-and-drop messages. Out: [`Shell::hovered`], from which the hint is
//! drawn, until they are dropped or leave.

use std::path::PathBuf;

use bevy::prelude::*;
use bevy::window::{CursorMoved, FileDragAndDrop, RequestRedraw};

use super::Opener;
use super::look::kind_of;
use crate::panel::Shell;
use crate::panel::drop_hint::{FileKind, Hovered, HoveredFile};
use crate::session::{Task, TaskState};

/// What hovers, and those who look at what it is.
#[derive(Default)]
pub(super) struct Looks {
    paths: Vec<PathBuf>,
    underway: Option<Task<Vec<FileKind>>>,
    /// Those whose answer nobody wants any more: to drop one would wait for the disk.
    stale: Vec<Task<Vec<FileKind>>>,
}

impl Looks {
    fn forget(&mut self) {
        self.paths.clear();
        self.stale.extend(self.underway.take());
    }
}

pub(super) fn hint(
    mut drags: MessageReader<FileDragAndDrop>,
    mut moved: MessageReader<CursorMoved>,
    mut redraw: MessageWriter<RequestRedraw>,
    mut looks: Local<Looks>,
    opener: Res<Opener>,
    mut shell: ResMut<Shell>,
) {
    let looks = &mut *looks;
    // A pointer that drags sends no moves: the program that sent these has ended the drag, or died, without saying so.
    let has_moved = moved.read().count() > 0;
    let mut ended = has_moved && drags.is_empty();
    let mut came = false;
    for drag in drags.read() {
        match drag {
            FileDragAndDrop::HoveredFile { path_buf, .. } => {
                if ended {
                    looks.forget();
                    ended = false;
                }
                if !looks.paths.contains(path_buf) {
                    looks.paths.push(path_buf.clone());
                    came = true;
                }
            }
            FileDragAndDrop::HoveredFileCanceled { .. } | FileDragAndDrop::DroppedFile { .. } => ended = true,
        }
    }
    looks.stale.retain(|task| task.poll() == TaskState::Underway);
    if ended {
        looks.forget();
        if shell.hovered.take().is_some() {
            redraw.write(RequestRedraw);
        }
        return;
    }
    if came {
        let paths = looks.paths.clone();
        let name = |path: &PathBuf| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let files = paths.iter().map(|path| HoveredFile { name: name(path), kind: None }).collect();
        shell.hovered = Some(Hovered { files });
        let look =
            Task::start("hovering files", opener.waker.clone(), move || paths.iter().map(|p| kind_of(p)).collect());
        looks.stale.extend(std::mem::replace(&mut looks.underway, look.ok()));
        redraw.write(RequestRedraw);
    }
    if let Some(TaskState::Done(kinds)) = looks.underway.as_ref().map(Task::poll) {
        looks.underway = None;
        for (file, kind) in shell.hovered.iter_mut().flat_map(|hovered| &mut hovered.files).zip(kinds) {
            file.kind = Some(kind);
        }
        redraw.write(RequestRedraw);
    }
}
